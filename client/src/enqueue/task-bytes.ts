/**
 * Encodes a task as an EnqueueRequest.
 *
 * Most tasks are a type and a payload. Those fields are written here, by hand, into the buffer of the frame: a fifth of
 * the time that the generated code takes, which is most of what an enqueue costs. The rest is left to the generated code;
 * a protobuf message may be put together from parts, since its fields may come in any order.
 */
import { inspect } from "node:util";
import type { Payload, TaskOptions } from "../new-task.ts";
import { text } from "./checks.ts";
import { optionBytes } from "./option-bytes.ts";
import { varintLength, writeVarint } from "./varint.ts";

/** A task ready to be written: its parts, and how many bytes they take. */
export interface TaskParts {
  readonly type: string;
  /** "": left out. */
  readonly queue: string;
  /** "": left out. */
  readonly contentType: string;
  /** JSON text, or bytes. */
  readonly payload: string | Uint8Array;
  readonly payloadLength: number;
  /** The other fields, encoded. */
  readonly rest: Uint8Array | undefined;
  /** Of the whole EnqueueRequest. */
  readonly length: number;
}

const TAG = { type: 0x12, queue: 0x1a, payload: 0x22, contentType: 0x2a };
const JSON_TYPE = "application/json";
const JSON_TYPE_FIELD = Buffer.concat([Buffer.from([TAG.contentType, JSON_TYPE.length]), Buffer.from(JSON_TYPE)]);

/** Takes a task apart. Throws a TypeError that names what cannot be sent at all; the broker judges the rest. */
export function taskParts(type: string, payload: Payload, options: TaskOptions | undefined): TaskParts {
  if (typeof type !== "string" || type === "")
    throw new TypeError(`type is ${inspect(type)}: it must be a non-empty string`);
  const bytes = payloadBytes(payload);
  const payloadLength = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
  const queue = text("queue", options?.queue);
  const contentType = text("contentType", options?.contentType ?? (typeof bytes === "string" ? JSON_TYPE : ""));
  const rest = options && optionBytes(options);
  const length =
    fieldLength(Buffer.byteLength(type)) +
    (queue === "" ? 0 : fieldLength(Buffer.byteLength(queue))) +
    fieldLength(payloadLength) +
    (contentType === "" ? 0 : fieldLength(Buffer.byteLength(contentType))) +
    (rest ? rest.length : 0);
  return { type, queue, contentType, payload: bytes, payloadLength, rest, length };
}

/** The queue that it is for: where none is named, the one that the contract says. */
export function queueOf({ type, queue }: TaskParts): string {
  return queue === "" ? type.replaceAll("/", ".") : queue;
}

/** Writes a task at `at`, where there must be room; returns where it ends. */
export function writeTask(
  buffer: Buffer,
  at: number,
  { type, queue, contentType, payload, payloadLength, rest }: TaskParts,
): number {
  let end = writeString(buffer, at, TAG.type, type);
  if (queue !== "") end = writeString(buffer, end, TAG.queue, queue);
  buffer[end++] = TAG.payload;
  end = writeVarint(buffer, end, payloadLength);
  if (typeof payload === "string") buffer.write(payload, end, payloadLength);
  else buffer.set(payload, end);
  end += payloadLength;
  if (contentType === JSON_TYPE) end = writeBytes(buffer, end, JSON_TYPE_FIELD);
  else if (contentType !== "") end = writeString(buffer, end, TAG.contentType, contentType);
  if (rest) end = writeBytes(buffer, end, rest);
  return end;
}

/** A field with a tag of one byte. */
function fieldLength(contentLength: number): number {
  return 1 + varintLength(contentLength) + contentLength;
}

function writeString(buffer: Buffer, at: number, tag: number, text: string): number {
  buffer[at] = tag;
  const start = writeVarint(buffer, at + 1, Buffer.byteLength(text));
  return start + buffer.write(text, start);
}

function writeBytes(buffer: Buffer, at: number, bytes: Uint8Array): number {
  buffer.set(bytes, at);
  return at + bytes.length;
}

function payloadBytes(payload: Payload): string | Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  if (ArrayBuffer.isView(payload) || payload instanceof ArrayBuffer) {
    throw new TypeError(`payload is a ${payload.constructor.name}: bytes must be a Uint8Array or Buffer`);
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    throw new TypeError(
      `payload cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  // Only undefined, functions and symbols have no JSON.
  if (text === undefined)
    throw new TypeError(
      `payload is ${typeof payload}: it must be bytes or have a JSON form; null for a task without input`,
    );
  return text;
}
