/**
 * Deliver frames, written by hand around the stored bytes: a task is handed out byte for byte as it was stored, with its
 * id, queue and enqueue time in front of it. No task is decoded or encoded. A test reads them with the generated decoder.
 *
 *     SubscribeResponse.deliver { Delivery { tag, attempt, deadline_time, lease_token, task { id, queue, enqueue_time, body } } ... }
 */

import type { Delivery } from "../../delivery/session.ts";
import { INDEX_TEXT, taskId } from "../../domain/ids.ts";
import { tokenPrefix } from "../../domain/lease.ts";
import { varintLength, writeVarint } from "../../lib/varint.ts";
import { eachBody } from "../../store/bodies.ts";
import type { Grant } from "../../store/store.ts";

/** A frame is closed once it has this many bytes: one reader must not wait long for another's bulk. */
const FRAME_BYTES = 256 * 1024;
/** More than a token and an id have letters. */
const NAMES_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** One or more encoded SubscribeResponses. */
export function encodeDeliver(deliveries: readonly Delivery[]): Buffer[] {
  return writeAll(new FrameWriter(0x12), deliveries);
}

/** An encoded PullTasksResponse: the same deliveries, without the frame around them. */
export function encodePulled(deliveries: readonly Delivery[]): Buffer {
  return Buffer.concat(writeAll(new FrameWriter(undefined), deliveries));
}

function writeAll(writer: FrameWriter, deliveries: readonly Delivery[]): Buffer[] {
  const shared = new SharedParts();
  const deadlines = new Timestamps();
  for (const delivery of deliveries) writeGrant(writer, delivery, shared, deadlines);
  return writer.finish();
}

function writeGrant(
  writer: FrameWriter,
  { grant, firstTag, deadlinesMs }: Delivery,
  shared: SharedParts,
  deadlines: Timestamps,
): void {
  shared.set(grant);
  let n = 0;
  let deadline = deadlines.at(deadlinesMs[0] ?? 0);
  eachBody(grant.bodies, (start, end) => {
    if (n > 0 && deadlinesMs.length > 1) deadline = deadlines.at(deadlinesMs[n] ?? 0);
    writer.delivery(shared, { tag: firstTag === 0 ? 0 : firstTag + n, index: grant.first + n, deadline, start, end });
    n++;
  });
}

/** Encoded google.protobuf.Timestamps. The last one is kept: most that are asked for one after the other are the same. */
class Timestamps {
  #ms = Number.NaN;
  #encoded = NOTHING;

  at(ms: number): Buffer {
    if (ms === this.#ms) return this.#encoded;
    this.#ms = ms;
    const buffer = Buffer.allocUnsafe(16);
    buffer[0] = 0x08;
    let at = writeVarint(buffer, 1, Math.floor(ms / 1_000));
    buffer[at++] = 0x10;
    at = writeVarint(buffer, at, (ms % 1_000) * 1_000_000);
    this.#encoded = buffer.subarray(0, at);
    return this.#encoded;
  }
}

/**
 * What all tasks of a grant have in common, ready to be copied. It is set for one grant after the other: a task alone is a
 * grant of its own, and what it has in common with the one before it is kept.
 */
class SharedParts {
  /** The token, and the id from `tokenLength` to `end`. The two letters of its index are added to both for a task of a block. */
  readonly names = Buffer.allocUnsafe(NAMES_BYTES);
  tokenLength = 0;
  end = 0;
  suffixLength = 0;
  attempt = 0;
  bodies = NOTHING;
  /** Queue and enqueue time. */
  taskFields = NOTHING;
  readonly #enqueued = new Timestamps();
  #queue: string | undefined;
  #time = NOTHING;

  set(grant: Grant): void {
    const token = tokenPrefix(grant);
    this.tokenLength = token.length;
    this.end = this.names.write(token + taskId(grant.queue, grant.block), "latin1");
    this.suffixLength = grant.alone ? 0 : 2;
    this.attempt = grant.attempt;
    this.bodies = grant.bodies;
    const time = this.#enqueued.at(grant.enqueuedAtMs);
    if (grant.queue === this.#queue && time === this.#time) return;
    this.#queue = grant.queue;
    this.#time = time;
    const queue = Buffer.from(grant.queue, "latin1");
    this.taskFields = Buffer.concat([
      Buffer.of(0x1a, ...lengthBytes(queue.length)),
      queue,
      Buffer.of(0xa2, 0x01, time.length),
      time,
    ]);
  }
}

function lengthBytes(length: number): number[] {
  const bytes = Buffer.alloc(varintLength(length));
  writeVarint(bytes, 0, length);
  return [...bytes];
}

interface OneDelivery {
  readonly tag: number;
  readonly index: number;
  readonly deadline: Buffer;
  readonly start: number;
  readonly end: number;
}

class FrameWriter {
  /** The tag byte of the field of SubscribeResponse that the deliveries go into. */
  readonly #frameTag: number | undefined;
  readonly #frames: Buffer[] = [];
  #buffer = Buffer.allocUnsafe(32 * 1024);
  #at = 0;

  constructor(frameTag: number | undefined) {
    this.#frameTag = frameTag;
  }

  delivery(shared: SharedParts, { tag, index, deadline, start, end }: OneDelivery): void {
    const { names, tokenLength: prefixLength, suffixLength, taskFields, attempt, bodies } = shared;
    const tokenLength = prefixLength + suffixLength;
    const idLength = shared.end - prefixLength + suffixLength;
    const taskSize = 1 + varintLength(idLength) + idLength + taskFields.length + (end - start);
    const tagSize = tag > 0 ? 1 + varintLength(tag) : 0;
    const size =
      tagSize +
      1 +
      varintLength(attempt) +
      2 +
      deadline.length +
      1 +
      varintLength(tokenLength) +
      tokenLength +
      1 +
      varintLength(taskSize) +
      taskSize;
    this.#reserve(size + 8);
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at++] = 0x0a;
    at = writeVarint(buffer, at, size);
    if (tag > 0) {
      buffer[at++] = 0x08;
      at = writeVarint(buffer, at, tag);
    }
    buffer[at++] = 0x10;
    at = writeVarint(buffer, at, attempt);
    buffer[at++] = 0x1a;
    buffer[at++] = deadline.length;
    at += deadline.copy(buffer, at);
    buffer[at++] = 0x22;
    at = writeVarint(buffer, at, tokenLength);
    at += names.copy(buffer, at, 0, prefixLength);
    if (suffixLength > 0) at = writeIndex(buffer, at, index);
    buffer[at++] = 0x7a;
    at = writeVarint(buffer, at, taskSize);
    buffer[at++] = 0x0a;
    at = writeVarint(buffer, at, idLength);
    at += names.copy(buffer, at, prefixLength, shared.end);
    if (suffixLength > 0) at = writeIndex(buffer, at, index);
    at += taskFields.copy(buffer, at);
    at += bodies.copy(buffer, at, start, end);
    this.#at = at;
    if (at >= FRAME_BYTES && this.#frameTag !== undefined) this.#close();
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }

  #close(): void {
    if (this.#at === 0) return;
    const content = this.#buffer.subarray(0, this.#at);
    this.#frames.push(
      this.#frameTag === undefined
        ? content
        : Buffer.concat([Buffer.of(this.#frameTag, ...lengthBytes(content.length)), content]),
    );
    this.#buffer = Buffer.allocUnsafe(32 * 1024);
    this.#at = 0;
  }

  finish(): Buffer[] {
    this.#close();
    return this.#frames;
  }
}

function writeIndex(buffer: Buffer, at: number, index: number): number {
  const text = INDEX_TEXT[index] ?? "";
  buffer[at] = text.charCodeAt(0);
  buffer[at + 1] = text.charCodeAt(1);
  return at + 2;
}
