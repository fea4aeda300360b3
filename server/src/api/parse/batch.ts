import { TaskwireError } from "../../domain/errors.ts";
import { LIMITS } from "../../domain/limits.ts";
import { eachField } from "../../domain/task-body.ts";
import type { Producer } from "../../store/store.ts";
import { type ParsedTask, parseEncoded } from "./enqueue.ts";
import { Fields } from "./fields.ts";

/** The field numbers of EnqueueBatchRequest and EnqueueStreamRequest; a test holds them against the contract. */
const BATCH_TASKS = 1;
const STREAM = { sequence: 1, tasks: 2, producerId: 3 } as const;

/** @throws INVALID_ARGUMENT */
export function parseSingle(bytes: Buffer, maxPayloadBytes: number): ParsedTask {
  const fields = new Fields();
  const task = parseEncoded({ bytes, start: 0, end: bytes.length, index: undefined }, maxPayloadBytes, fields);
  fields.check();
  // Without a violation there is a task.
  return task as ParsedTask;
}

/** @throws INVALID_ARGUMENT, BATCH_TOO_LARGE */
export function parseBatch(bytes: Buffer, maxPayloadBytes: number): readonly ParsedTask[] {
  const parser = new TasksParser(bytes, maxPayloadBytes);
  const isMessage = eachField(bytes, 0, bytes.length, ({ number, start, end }) => {
    if (number === BATCH_TASKS) parser.add(start, end);
  });
  if (!isMessage) throw new TaskwireError("INVALID_ARGUMENT", "the request is not an encoded EnqueueBatchRequest");
  return parser.finish();
}

/** A frame of EnqueueStream, taken apart; its tasks are checked by `tasks()`, which may throw. */
export interface StreamFrame {
  readonly sequence: number;
  readonly producer: Producer | undefined;
  tasks(): readonly ParsedTask[];
}

/** @throws INVALID_ARGUMENT when the frame cannot be read at all: then it has no sequence to answer to */
export function parseFrame(bytes: Buffer, maxPayloadBytes: number): StreamFrame {
  const bounds: number[] = [];
  let sequence = 0;
  let producerId: Buffer | undefined;
  const isMessage = eachField(bytes, 0, bytes.length, ({ number, value, start, end }) => {
    if (number === STREAM.sequence) sequence = value;
    if (number === STREAM.tasks) bounds.push(start, end);
    if (number === STREAM.producerId) producerId = bytes.subarray(start, end);
  });
  if (!isMessage) throw new TaskwireError("INVALID_ARGUMENT", "the frame is not an encoded EnqueueStreamRequest");
  const tasks = () => {
    if (producerId && producerId.length !== 0 && producerId.length !== 8) {
      throw new TaskwireError("INVALID_ARGUMENT", `producer_id has ${producerId.length} bytes; must be 8, or none`);
    }
    const parser = new TasksParser(bytes, maxPayloadBytes);
    for (let i = 0; i < bounds.length; i += 2) parser.add(bounds[i] ?? 0, bounds[i + 1] ?? 0);
    return parser.finish();
  };
  return {
    sequence,
    producer: producerId?.length === 8 ? { id: producerId.toString("hex"), sequence } : undefined,
    tasks,
  };
}

/** Collects the tasks of one request, and everything that is wrong with them. */
class TasksParser {
  readonly #bytes: Buffer;
  readonly #maxPayloadBytes: number;
  readonly #fields = new Fields();
  readonly #tasks: ParsedTask[] = [];
  #count = 0;

  constructor(bytes: Buffer, maxPayloadBytes: number) {
    this.#bytes = bytes;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  add(start: number, end: number): void {
    const index = this.#count++;
    if (index >= LIMITS.batchTasks) return;
    const task = parseEncoded({ bytes: this.#bytes, start, end, index }, this.#maxPayloadBytes, this.#fields);
    if (task) this.#tasks.push(task);
  }

  finish(): readonly ParsedTask[] {
    if (this.#count > LIMITS.batchTasks) throw batchTooLarge(this.#count);
    this.#fields.check();
    return this.#tasks;
  }
}

export function batchTooLarge(tasks: number): TaskwireError {
  const message = `the batch has ${tasks} tasks; at most ${LIMITS.batchTasks} are allowed: send several`;
  return new TaskwireError("BATCH_TOO_LARGE", message);
}
