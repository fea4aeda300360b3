/** The payload of every measured task: 100 bytes, among them one number that the handler can read back. */
import type { PayloadKind } from "./protocol.ts";

/** The type of every measured task. */
export const TASK_TYPE = "bench";

const PAYLOAD_BYTES = 100;
/** `{"stamp":1700000000000.25,"pad":""}` without the digits of the number. */
const JSON_FRAME_BYTES = '{"stamp":,"pad":""}'.length;

/** The same as an object that is 100 bytes long as JSON. */
export interface StampedObject {
  readonly stamp: number;
  readonly pad: string;
}

export function objectPayload(stamp: number): StampedObject {
  const padding = PAYLOAD_BYTES - JSON_FRAME_BYTES - String(stamp).length;
  return { stamp, pad: "x".repeat(Math.max(0, padding)) };
}

export function bytesPayload(stamp: number): Buffer {
  const bytes = Buffer.alloc(PAYLOAD_BYTES, "x");
  bytes.writeDoubleLE(stamp, 0);
  return bytes;
}

export function stampedPayload(kind: PayloadKind, stamp: number): Buffer | StampedObject {
  return kind === "bytes" ? bytesPayload(stamp) : objectPayload(stamp);
}

/** Reads the number back from either form. */
export function stampIn(payload: unknown): number {
  if (Buffer.isBuffer(payload)) return payload.readDoubleLE(0);
  if (payload instanceof Uint8Array) return Buffer.from(payload.buffer, payload.byteOffset).readDoubleLE(0);
  // All that is enqueued here comes from this file.
  return (payload as StampedObject).stamp;
}
