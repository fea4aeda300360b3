import { EnqueueRequest, RetryPolicy_Backoff } from "@taskwire/proto";
import { describe, expect, it } from "vitest";
import type { Payload, TaskOptions } from "../new-task.ts";
import { taskParts, writeTask } from "./task-bytes.ts";

function encode(type: string, payload: Payload, options?: TaskOptions): EnqueueRequest {
  const task = taskParts(type, payload, options);
  const buffer = Buffer.alloc(task.length + 2);
  expect(writeTask(buffer, 1, task)).toBe(1 + task.length);
  return EnqueueRequest.decode(buffer.subarray(1, 1 + task.length));
}

describe("a task", () => {
  it("goes as JSON when its payload is a value", () => {
    const task = encode("email", { to: "ü@b.c" });

    expect(task).toEqual(
      EnqueueRequest.fromPartial({
        type: "email",
        contentType: "application/json",
        body: { $case: "payload", value: Buffer.from('{"to":"ü@b.c"}') },
      }),
    );
  });

  it("goes as it is when its payload is bytes", () => {
    const task = encode("image", new Uint8Array([0, 255, 7]), { contentType: "image/png", queue: "images" });

    expect(task).toMatchObject({ type: "image", queue: "images", contentType: "image/png" });
    expect(task.body).toMatchObject({ $case: "payload", value: Buffer.from([0, 255, 7]) });
  });

  it("carries a payload of which the length takes several bytes", () => {
    const text = "€".repeat(100_000);

    expect(Buffer.from(encode("a", text).body?.value as Uint8Array).toString()).toBe(JSON.stringify(text));
  });

  it("carries all options", () => {
    const task = encode("email", null, {
      taskId: "order-1",
      headers: { trace: "abc" },
      priority: -5,
      maxRetries: 0,
      timeoutMs: 1_500,
      delayMs: 250,
      retry: { backoff: "exponential", baseMs: 100, maxMs: 60_000, jitter: 0.5, delaysMs: [1, 2_000] },
    });

    expect(task).toMatchObject({
      taskId: "order-1",
      headers: { trace: "abc" },
      priority: -5,
      maxRetries: 0,
      timeout: { seconds: 1, nanos: 500_000_000 },
      schedule: { $case: "delay", value: { seconds: 0, nanos: 250_000_000 } },
      retry: {
        backoff: RetryPolicy_Backoff.EXPONENTIAL,
        base: { seconds: 0, nanos: 100_000_000 },
        max: { seconds: 60, nanos: 0 },
        jitter: 0.5,
        delays: [
          { seconds: 0, nanos: 1_000_000 },
          { seconds: 2, nanos: 0 },
        ],
      },
    });
  });

  it("carries a time to run at", () => {
    const task = encode("email", null, { runAt: new Date(1_700_000_000_123) });

    expect(task.schedule).toEqual({ $case: "runTime", value: { seconds: 1_700_000_000, nanos: 123_000_000 } });
  });

  it.each<[string, Payload, TaskOptions, RegExp]>([
    ["", 1, {}, /type is ''/],
    ["a", undefined as unknown as Payload, {}, /payload is undefined/],
    ["a", 1n as unknown as Payload, {}, /payload cannot be written as JSON/],
    ["a", new Float32Array(2), {}, /payload is a Float32Array/],
    ["a", 1, { delayMs: 1, runAt: new Date() }, /delayMs and runAt/],
    ["a", 1, { runAt: new Date("never") }, /runAt is Invalid Date/],
    ["a", 1, { delayMs: Number.NaN }, /delayMs is NaN/],
    ["a", 1, { priority: 1.5 }, /priority is 1.5/],
    ["a", 1, { headers: { n: 1 as unknown as string } }, /headers\["n"\] is 1/],
    ["a", 1, { headers: { n: "\ud800" } }, /headers\["n"\] has half of a surrogate pair/],
  ])("is refused when it cannot be sent at all (%#)", (type, payload, options, sentence) => {
    expect(() => taskParts(type, payload, options)).toThrow(sentence);
  });
});
