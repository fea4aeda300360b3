/**
 * Pretends to work on an image: takes 0.5 to 2.5 s, one operation after the other, and fails three times in a hundred.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "@taskwire/worker";

export interface ImagePayload {
  readonly image_url?: string;
  /** Such as resize, compress and watermark. */
  readonly operations?: readonly string[];
}

const FAILURE_RATE = 0.03;

/** `random` draws how long it takes and whether it fails, from 0 to 1. */
export function imageProcessingHandler(random: () => number = Math.random): Handler<ImagePayload> {
  return async (task, ctx) => {
    const { image_url: url, operations = ["resize"] } = task.payload;
    if (!url) throw new Error("missing 'image_url' field in image processing task");

    const stepMs = (500 + random() * 2_000) / Math.max(1, operations.length);
    for (const [index, operation] of operations.entries()) {
      ctx.progress((100 * index) / operations.length, { operation });
      await sleep(stepMs, undefined, { signal: ctx.signal });
    }

    if (random() < FAILURE_RATE) throw new Error("image processing failed: corrupt image data");
    return { url, operations };
  };
}
