/**
 * Decodes an EnqueueStreamResponse.
 *
 * By hand, because an answer is read for every task that is enqueued: the generated code takes several times as long.
 * Fields that are not known here are passed over, as everywhere in protobuf.
 */
import { Status, Timestamp } from "@taskwire/proto";
import { type Enqueued, toEnqueued } from "../enqueued.ts";
import { parseStatus, type Refusal } from "../status.ts";
import { toDate } from "../wire-time.ts";

/** What became of one frame: all of its tasks, in order, or why none was accepted. */
export interface Answer {
  readonly sequence: number;
  readonly accepted: readonly Enqueued[];
  readonly refusal: Refusal | undefined;
}

/** Throws a RangeError when the bytes are not a message. */
export function readAnswer(bytes: Buffer): Answer {
  const reader = new Reader(bytes);
  let sequence = 0;
  let accepted: Enqueued[] = [];
  let refusal: Refusal | undefined;
  while (reader.at < bytes.length) {
    const tag = reader.varint();
    if (tag === 0x08) sequence = reader.varint();
    else if (tag === 0x12) accepted = readBatch(reader, reader.end());
    else if (tag === 0x1a) refusal = parseStatus(Status.decode(reader.bytes(reader.end())));
    else reader.skip(tag);
  }
  return { sequence, accepted, refusal };
}

function readBatch(reader: Reader, end: number): Enqueued[] {
  const tasks: Enqueued[] = [];
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === 0x0a) tasks.push(readEnqueued(reader, reader.end()));
    else reader.skip(tag);
  }
  return tasks;
}

function readEnqueued(reader: Reader, end: number): Enqueued {
  let taskId = "";
  let outcome = 0;
  let state = 0;
  let durability = 0;
  let runTime: Date | undefined;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === 0x0a) taskId = reader.text(reader.end());
    else if (tag === 0x10) outcome = reader.varint();
    else if (tag === 0x18) state = reader.varint();
    else if (tag === 0x22) runTime = toDate(Timestamp.decode(reader.bytes(reader.end())));
    else if (tag === 0x28) durability = reader.varint();
    else reader.skip(tag);
  }
  return toEnqueued({ taskId, outcome, state, durability, runTime });
}

/** A place in a message. */
class Reader {
  readonly #buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#buffer[this.at++];
      if (byte === undefined) throw new RangeError("the message ends within a number");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** Reads a length; returns where that many bytes end. */
  end(): number {
    const length = this.varint();
    if (this.at + length > this.#buffer.length) throw new RangeError("the message ends within a field");
    return this.at + length;
  }

  text(end: number): string {
    const text = this.#buffer.toString("utf8", this.at, end);
    this.at = end;
    return text;
  }

  bytes(end: number): Uint8Array {
    const bytes = this.#buffer.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  /** Passes over the value of a field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.at += 8;
        return;
      case 2:
        this.at = this.end();
        return;
      case 5:
        this.at += 4;
        return;
      default:
        throw new RangeError(`the message has a field of the unknown kind ${tag & 7}`);
    }
  }
}
