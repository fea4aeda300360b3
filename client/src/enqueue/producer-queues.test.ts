import { status as Code } from "@grpc/grpc-js";
import { expect, it, vi } from "vitest";
import { enqueue, flushed, reason, retryInfo, streams, typesOf, useProducer } from "./producer-fixture.ts";

useProducer();

it("sends the tasks of each queue as frames of their own: a queue that refuses its tasks refuses no others", async () => {
  const calls = ["a", "b", "c"].map((type) => enqueue(type, { queue: type === "b" ? "limited" : "free" }));
  await flushed();
  expect(streams[0]?.frames.map(typesOf)).toEqual([["a", "c"], ["b"]]);

  streams[0]?.refuse(2, Code.FAILED_PRECONDITION, reason("BATCH_ABOVE_BURST"));
  streams[0]?.accept(streams[0].frames[0]);

  await expect(calls[1]).rejects.toMatchObject({ reason: "BATCH_ABOVE_BURST", effect: "none" });
  await expect(calls[0]).resolves.toMatchObject({ taskId: "id of a" });
  await expect(calls[2]).resolves.toMatchObject({ taskId: "id of c" });
});

it("takes a task without a queue for the queue that its type names", async () => {
  for (const [type, queue] of [
    ["mail/welcome", ""],
    ["b", "mail.welcome"],
    ["mail", ""],
  ] as const)
    void enqueue(type, { queue });
  await flushed();

  expect(streams[0]?.frames.map(typesOf)).toEqual([["mail/welcome", "b"], ["mail"]]);
});

it("lets other queues go on, however long one lets its tasks wait", async () => {
  const waits = enqueue("slow", { queue: "limited" });
  await flushed();
  streams[0]?.refuse(1, Code.RESOURCE_EXHAUSTED, reason("RATE_LIMITED"), retryInfo(20));

  for (let i = 2; i < 200; i++) {
    const call = enqueue("fast", { queue: "free" });
    await flushed();
    streams[0]?.accept(streams[0].frames.at(-1));
    await expect(call, `call ${i}`).resolves.toBeDefined();
  }

  vi.advanceTimersByTime(20_000);
  expect(typesOf(streams.at(-1)?.frames.at(-1))).toEqual(["slow"]);
  streams.at(-1)?.accept(streams.at(-1)?.frames.at(-1));
  await expect(waits).resolves.toMatchObject({ taskId: "id of slow" });
});
