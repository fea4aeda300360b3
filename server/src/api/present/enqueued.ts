/** EnqueueResponses, written by hand: at 100,000 a second the generated encoder is what costs most. A test compares both. */
import type { EnqueueResponse } from "@taskwire/proto";
import { taskId } from "../../domain/ids.ts";
import { varintLength, writeVarint } from "../../lib/varint.ts";
import type { Durability } from "../../store/store.ts";
import type { EnqueuedTask } from "../enqueue-tasks.ts";
import { DURABILITY, STATE, toTimestamp } from "./task.ts";

export function presentEnqueued({ queue, enqueued }: EnqueuedTask, durability: Durability): EnqueueResponse {
  return {
    taskId: taskId(queue, enqueued.key),
    outcome: enqueued.kind === "created" ? 1 : 2,
    state: STATE[enqueued.state],
    runTime: enqueued.runAtMs > 0 ? toTimestamp(enqueued.runAtMs) : undefined,
    durability: DURABILITY[durability],
  };
}

/** An encoded EnqueueBatchResponse. */
export function encodeBatchResponse(tasks: readonly EnqueuedTask[], durability: Durability): Buffer {
  return encodeBatch(tasks, durability, 0, (buffer, at) => buffer.subarray(0, at));
}

/** An encoded EnqueueStreamResponse that accepts a frame. */
export function encodeAccepted(sequence: number, tasks: readonly EnqueuedTask[], durability: Durability): Buffer {
  // field 1 sequence, field 2 accepted: room for both before the batch, whose length is known only after it.
  const room = 24;
  return encodeBatch(tasks, durability, room, (buffer, end) => {
    const size = end - room;
    const start = room - (2 + varintLength(sequence) + varintLength(size));
    let at = start;
    buffer[at++] = 0x08;
    at = writeVarint(buffer, at, sequence);
    buffer[at++] = 0x12;
    writeVarint(buffer, at, size);
    return buffer.subarray(start, end);
  });
}

/** The most bytes of one response: an id of 128 letters, and 24 bytes for all else. */
const MAX_RESPONSE_BYTES = 160;

function encodeBatch(
  tasks: readonly EnqueuedTask[],
  durability: Durability,
  room: number,
  finish: (buffer: Buffer, end: number) => Buffer,
): Buffer {
  const buffer = Buffer.allocUnsafe(room + tasks.length * MAX_RESPONSE_BYTES);
  let at = room;
  for (const task of tasks) at = writeResponse(buffer, at, task, DURABILITY[durability]);
  return finish(buffer, at);
}

function writeResponse(buffer: Buffer, from: number, { queue, enqueued }: EnqueuedTask, durability: number): number {
  const id = taskId(queue, enqueued.key);
  const { runAtMs } = enqueued;
  const seconds = Math.floor(runAtMs / 1_000);
  const nanos = (runAtMs % 1_000) * 1_000_000;
  const timeSize = runAtMs > 0 ? 2 + varintLength(seconds) + varintLength(nanos) : 0;
  // The id, three enums of one byte each, and the time. An id has at most 128 letters, so its length may take two bytes.
  const size = 1 + varintLength(id.length) + id.length + 6 + (timeSize > 0 ? 2 + timeSize : 0);
  let at = from;
  buffer[at++] = 0x0a;
  at = writeVarint(buffer, at, size);
  buffer[at++] = 0x0a;
  at = writeVarint(buffer, at, id.length);
  at += buffer.write(id, at, "latin1");
  buffer[at++] = 0x10;
  buffer[at++] = enqueued.kind === "created" ? 1 : 2;
  buffer[at++] = 0x18;
  buffer[at++] = STATE[enqueued.state];
  if (timeSize > 0) {
    buffer[at++] = 0x22;
    buffer[at++] = timeSize;
    buffer[at++] = 0x08;
    at = writeVarint(buffer, at, seconds);
    buffer[at++] = 0x10;
    at = writeVarint(buffer, at, nanos);
  }
  buffer[at++] = 0x28;
  buffer[at++] = durability;
  return at;
}
