/**
 * Deliveries, read by hand. The generated decoder makes six objects and three strings of each; most handlers look at
 * the payload and nothing else. Here one pass notes where each field is, and a field is decoded when it is asked for.
 *
 * A delivery is a view of its frame: the frame stays in memory until the last handler of its tasks has ended.
 */
import { Deliver, Task_HeadersEntry, Timestamp } from "@taskwire/proto";
import { Cursor } from "./cursor.ts";
import { InvalidPayload } from "./errors.ts";
import type { Task } from "./task.ts";
import { fromTimestamp } from "./wire-time.ts";

/** Field numbers and wire types, as they stand before each field: number × 8 + wire type. */
const FRAME_DELIVER = 2 * 8 + 2;
const DELIVER_DELIVERIES = 1 * 8 + 2;
const DELIVERY = { tag: 1 * 8, attempt: 2 * 8, leaseToken: 4 * 8 + 2, task: 15 * 8 + 2 } as const;
const TASK = {
  id: 1 * 8 + 2,
  type: 2 * 8 + 2,
  queue: 3 * 8 + 2,
  payload: 4 * 8 + 2,
  contentType: 5 * 8 + 2,
  headers: 6 * 8 + 2,
  priority: 7 * 8,
  enqueueTime: 20 * 8 + 2,
} as const;

const UNREAD = Symbol("unread");
const JSON_TYPE = "application/json";
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The deliveries of a frame; undefined when it is another kind of frame. Throws a RangeError when the frame is damaged.
 */
export function readDeliver(frame: Buffer): Delivery[] | undefined {
  if (frame[0] !== FRAME_DELIVER) return undefined;
  const cursor = new Cursor(frame, 1);
  const end = cursor.spanEnd(frame.length);
  // Something follows it, which our brokers never do: leave the frame to the generated decoder.
  if (end !== frame.length) return undefined;
  const deliveries: Delivery[] = [];
  while (cursor.at < end) {
    const key = cursor.varint();
    if (key === DELIVER_DELIVERIES) deliveries.push(new Delivery(frame, cursor, cursor.spanEnd(end)));
    else cursor.skip(key & 7, end);
  }
  return deliveries;
}

/** The same for a Deliver that the generated decoder has read. */
export function deliveriesOf(deliver: Deliver): Delivery[] {
  const encoded = Deliver.encode(deliver).finish();
  const frame = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const cursor = new Cursor(frame, 0);
  return deliver.deliveries.map(() => {
    cursor.varint();
    return new Delivery(frame, cursor, cursor.spanEnd(frame.length));
  });
}

/** One attempt of one task. */
export class Delivery implements Task {
  /** Names it on its stream. */
  tag = 0;
  attempt = 0;
  type = "";
  priority = 0;
  readonly #frame: Buffer;
  #tokenAt = 0;
  #tokenEnd = 0;
  #idAt = 0;
  #idEnd = 0;
  #queueAt = 0;
  #queueEnd = 0;
  #payloadAt = 0;
  #payloadEnd = 0;
  #contentTypeAt = 0;
  #contentTypeEnd = 0;
  #enqueuedAt = 0;
  #enqueuedEnd = 0;
  /** Kept, so that a handler that reads it twice gets the same object. */
  #payload: unknown = UNREAD;
  /** Begin and end of each header, one after the other. */
  #headerSpans: number[] | undefined;

  /** Reads one Delivery, from the cursor to `end`. */
  constructor(frame: Buffer, cursor: Cursor, end: number) {
    this.#frame = frame;
    while (cursor.at < end) {
      const key = cursor.varint();
      if (key === DELIVERY.tag) this.tag = cursor.varint();
      else if (key === DELIVERY.attempt) this.attempt = cursor.varint();
      else if (key === DELIVERY.leaseToken) {
        this.#tokenEnd = cursor.spanEnd(end);
        this.#tokenAt = cursor.at;
        cursor.at = this.#tokenEnd;
      } else if (key === DELIVERY.task) this.#readTask(cursor, cursor.spanEnd(end));
      else cursor.skip(key & 7, end);
    }
  }

  /** Called once for each task field; a second one is merged into the first, as protobuf has it. */
  #readTask(cursor: Cursor, end: number): void {
    while (cursor.at < end) {
      const key = cursor.varint();
      if (key === TASK.priority) {
        const zigzag = cursor.varint();
        this.priority = (zigzag >>> 1) ^ -(zigzag & 1);
        continue;
      }
      if ((key & 7) !== 2) {
        cursor.skip(key & 7, end);
        continue;
      }
      const fieldEnd = cursor.spanEnd(end);
      this.#noteField(key, cursor.at, fieldEnd);
      cursor.at = fieldEnd;
    }
  }

  #noteField(key: number, at: number, end: number): void {
    switch (key) {
      case TASK.id:
        this.#idAt = at;
        this.#idEnd = end;
        return;
      case TASK.type:
        this.type = this.#frame.toString("utf8", at, end);
        return;
      case TASK.queue:
        this.#queueAt = at;
        this.#queueEnd = end;
        return;
      case TASK.payload:
        this.#payloadAt = at;
        this.#payloadEnd = end;
        return;
      case TASK.contentType:
        this.#contentTypeAt = at;
        this.#contentTypeEnd = end;
        return;
      case TASK.headers:
        this.#headerSpans ??= [];
        this.#headerSpans.push(at, end);
        return;
      case TASK.enqueueTime:
        this.#enqueuedAt = at;
        this.#enqueuedEnd = end;
    }
  }

  /** Settles this attempt through any broker. Not for logs. */
  get leaseToken(): string {
    return this.#text(this.#tokenAt, this.#tokenEnd);
  }

  get id(): string {
    return this.#text(this.#idAt, this.#idEnd);
  }

  get queue(): string {
    return this.#text(this.#queueAt, this.#queueEnd);
  }

  get contentType(): string {
    return this.#text(this.#contentTypeAt, this.#contentTypeEnd);
  }

  get bytes(): Uint8Array {
    return this.#frame.subarray(this.#payloadAt, this.#payloadEnd);
  }

  get payload(): unknown {
    if (this.#payload === UNREAD) this.#payload = this.#readPayload();
    return this.#payload;
  }

  #readPayload(): unknown {
    if (!isJson(this.contentType)) return this.bytes;
    try {
      return JSON.parse(this.#text(this.#payloadAt, this.#payloadEnd));
    } catch (cause) {
      throw new InvalidPayload(this.type, { cause });
    }
  }

  get headers(): Readonly<Record<string, string>> {
    const spans = this.#headerSpans;
    if (!spans) return NO_HEADERS;
    const entries: [string, string][] = [];
    for (let i = 0; i < spans.length; i += 2) {
      const { key, value } = Task_HeadersEntry.decode(this.#frame.subarray(spans[i], spans[i + 1]));
      entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  get enqueuedAt(): Date {
    return fromTimestamp(Timestamp.decode(this.#frame.subarray(this.#enqueuedAt, this.#enqueuedEnd)));
  }

  /** What `JSON.stringify(task)` and `console.log(task)` show: getters alone would show nothing. */
  toJSON(): Omit<Task, "bytes"> {
    const { id, type, queue, payload, contentType, headers, priority, attempt, enqueuedAt } = this;
    return { id, type, queue, payload, contentType, headers, priority, attempt, enqueuedAt };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON();
  }

  #text(at: number, end: number): string {
    return this.#frame.toString("utf8", at, end);
  }
}

/** Parameters may follow, such as `; charset=utf-8`. */
function isJson(contentType: string): boolean {
  return contentType === JSON_TYPE || contentType.startsWith(`${JSON_TYPE};`);
}
