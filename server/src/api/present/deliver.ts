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

/** One or more encoded SubscribeResponses. */
export function encodeDeliver(deliveries: readonly Delivery[]): Buffer[] {
  const writer = new FrameWriter(0x12);
  for (const delivery of deliveries) writeGrant(writer, delivery);
  return writer.finish();
}

/** An encoded PullTasksResponse: the same deliveries, without the frame around them. */
export function encodePulled(deliveries: readonly Delivery[]): Buffer {
  const writer = new FrameWriter(undefined);
  for (const delivery of deliveries) writeGrant(writer, delivery);
  return Buffer.concat(writer.finish());
}

function writeGrant(writer: FrameWriter, { grant, firstTag, deadlinesMs }: Delivery): void {
  const shared = new SharedParts(grant);
  let n = 0;
  let deadline = shared.timestamp(deadlinesMs[0] ?? 0);
  eachBody(grant.bodies, (start, end) => {
    if (n > 0 && deadlinesMs.length > 1) deadline = shared.timestamp(deadlinesMs[n] ?? 0);
    writer.delivery(shared, { tag: firstTag === 0 ? 0 : firstTag + n, index: grant.first + n, deadline, start, end });
    n++;
  });
}

/** What all tasks of a grant have in common, ready to be copied. */
class SharedParts {
  readonly grant: Grant;
  /** The two letters of its index are added to both for a task of a block. */
  readonly token: Buffer;
  readonly id: Buffer;
  readonly suffixLength: number;
  /** Queue and enqueue time. */
  readonly taskFields: Buffer;
  readonly attemptLength: number;

  constructor(grant: Grant) {
    this.grant = grant;
    this.token = Buffer.from(tokenPrefix(grant), "latin1");
    this.id = Buffer.from(taskId(grant.queue, grant.block), "latin1");
    this.suffixLength = grant.alone ? 0 : 2;
    this.attemptLength = varintLength(grant.attempt);
    const queue = Buffer.from(grant.queue, "latin1");
    const time = this.timestamp(grant.enqueuedAtMs);
    this.taskFields = Buffer.concat([
      Buffer.of(0x1a, ...lengthBytes(queue.length)),
      queue,
      Buffer.of(0xa2, 0x01, time.length),
      time,
    ]);
  }

  timestamp(ms: number): Buffer {
    const buffer = Buffer.allocUnsafe(16);
    buffer[0] = 0x08;
    let at = writeVarint(buffer, 1, Math.floor(ms / 1_000));
    buffer[at++] = 0x10;
    at = writeVarint(buffer, at, (ms % 1_000) * 1_000_000);
    return buffer.subarray(0, at);
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
    const { grant, token, id, suffixLength, taskFields, attemptLength } = shared;
    const idLength = id.length + suffixLength;
    const tokenLength = token.length + suffixLength;
    const taskSize = 1 + varintLength(idLength) + idLength + taskFields.length + (end - start);
    const tagSize = tag > 0 ? 1 + varintLength(tag) : 0;
    const size =
      tagSize +
      1 +
      attemptLength +
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
    at = writeVarint(buffer, at, grant.attempt);
    buffer[at++] = 0x1a;
    buffer[at++] = deadline.length;
    at += deadline.copy(buffer, at);
    buffer[at++] = 0x22;
    at = writeVarint(buffer, at, tokenLength);
    at += token.copy(buffer, at);
    if (suffixLength > 0) at = writeIndex(buffer, at, index);
    buffer[at++] = 0x7a;
    at = writeVarint(buffer, at, taskSize);
    buffer[at++] = 0x0a;
    at = writeVarint(buffer, at, idLength);
    at += id.copy(buffer, at);
    if (suffixLength > 0) at = writeIndex(buffer, at, index);
    at += taskFields.copy(buffer, at);
    at += grant.bodies.copy(buffer, at, start, end);
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
