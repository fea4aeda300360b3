import { status as Code } from "@grpc/grpc-js";
import { BadRequest } from "@taskwire/proto";
import { expect, it, vi } from "vitest";
import {
  any,
  enqueue,
  flushed,
  left,
  newBrokers,
  producer,
  reason,
  replaceProducer,
  retryInfo,
  streams,
  typesOf,
  useProducer,
} from "./producer-fixture.ts";

useProducer();

it("sends the calls of one tick as one frame, and answers each", async () => {
  const calls = [enqueue("a"), enqueue("b")];
  await Promise.resolve();
  calls.push(enqueue("c"));
  await flushed();

  expect(streams[0]?.frames.map(typesOf)).toEqual([["a", "b", "c"]]);
  streams[0]?.accept(streams[0].frames[0]);
  expect((await Promise.all(calls)).map(({ taskId }) => taskId)).toEqual(["id of a", "id of b", "id of c"]);
});

it("lets a small frame wait while two are unanswered, and takes along what comes meanwhile", async () => {
  for (const type of ["a", "b", "c", "d"]) {
    void enqueue(type);
    await flushed();
  }
  const [stream] = streams;
  expect(stream?.frames.map(typesOf)).toEqual([["a"], ["b"]]);

  stream?.accept(stream.frames[0]);
  await flushed();

  expect(stream?.frames.map(typesOf)).toEqual([["a"], ["b"], ["c", "d"]]);
});

it("has at most 64 sequences without an answer, and gathers what comes meanwhile", async () => {
  for (let i = 0; i < 70; i++) {
    for (let n = 0; n < 100; n++) void enqueue(`t${i}`);
    await flushed();
  }
  const [stream] = streams;
  expect(stream?.written.length).toBe(64);

  // An answer in the middle makes no room: the broker might forget the first.
  stream?.accept(stream.frames[30]);
  await flushed();
  expect(stream?.written.length).toBe(64);

  stream?.accept(stream.frames[0]);
  await flushed();
  expect(typesOf(stream?.frames[64])?.at(0)).toBe("t64");
  expect(typesOf(stream?.frames[64])?.at(-1)).toBe("t69");
});

it("sends what was not answered again when a stream breaks: the same bytes, to the next broker", async () => {
  const calls = [enqueue("a")];
  await flushed();
  calls.push(enqueue("b"), enqueue("c"));
  await flushed();
  streams[0]?.accept(streams[0].frames[0]);

  streams[0]?.break();
  vi.advanceTimersByTime(100);

  expect(streams[1]?.broker).toBe("two");
  expect(streams[1]?.written).toEqual(streams[0]?.written.slice(1));
  streams[1]?.accept(streams[1].frames[0]);
  expect((await Promise.all(calls)).length).toBe(3);
});

it("does not send again what nobody waits for any more", async () => {
  const controller = new AbortController();
  const given = enqueue("a", { signal: controller.signal });
  await flushed();
  void enqueue("b");
  await flushed();

  controller.abort();
  streams[0]?.break();
  vi.advanceTimersByTime(100);

  await expect(given).rejects.toMatchObject({ name: "AbortError", effect: "unknown" });
  expect(streams[1]?.frames.map(typesOf)).toEqual([["b"]]);
});

it("does not send again what was given up while there was no stream", async () => {
  const controller = new AbortController();
  const given = enqueue("a", { signal: controller.signal });
  await flushed();
  streams[0]?.break();
  controller.abort();

  vi.advanceTimersByTime(100);

  await expect(given).rejects.toMatchObject({ name: "AbortError", effect: "unknown" });
  expect(streams.length).toBe(1);
});

it("never sends a task that was given up before it left", async () => {
  const controller = new AbortController();
  const given = enqueue("a", { signal: controller.signal });
  void enqueue("b");
  controller.abort();
  await flushed();

  await expect(given).rejects.toMatchObject({ name: "AbortError", effect: "none" });
  expect(streams[0]?.frames.map(typesOf)).toEqual([["b"]]);
});

it("rejects the tasks that are wrong, and sends the others as a new frame", async () => {
  const calls = [enqueue("a"), enqueue("wrong"), enqueue("c")];
  await flushed();
  const fieldViolations = [{ field: "tasks[1].type", description: "is wrong" }];
  streams[0]?.refuse(
    1,
    Code.INVALID_ARGUMENT,
    reason("INVALID_ARGUMENT"),
    any("BadRequest", BadRequest.encode({ fieldViolations }).finish()),
  );

  await expect(calls[1]).rejects.toMatchObject({ name: "InvalidTask", fields: [{ field: "type" }], effect: "none" });
  await flushed();
  expect(typesOf(streams[0]?.frames[1])).toEqual(["a", "c"]);
  expect(streams[0]?.frames[1]?.sequence).toBe(2);
  streams[0]?.accept(streams[0].frames[1]);
  await expect(calls[2]).resolves.toMatchObject({ taskId: "id of c" });
});

it("does not say of a task whose frame was refused for another that it may be enqueued", async () => {
  const controller = new AbortController();
  const call = enqueue("a", { signal: controller.signal });
  void enqueue("wrong");
  await flushed();
  left.get("one")?.();
  const fieldViolations = [{ field: "tasks[1].type", description: "is wrong" }];
  streams[0]?.refuse(
    1,
    Code.INVALID_ARGUMENT,
    reason("INVALID_ARGUMENT"),
    any("BadRequest", BadRequest.encode({ fieldViolations }).finish()),
  );

  controller.abort();

  await expect(call).rejects.toMatchObject({ name: "AbortError", effect: "none" });
});

it("finds the one task that a frame was refused for when the broker does not name it", async () => {
  const types = ["a", "b", "c", "forbidden", "d", "e", "f"];
  const calls = types.map((type) => enqueue(type));
  await flushed();
  for (let i = 0; i < (streams[0]?.written.length ?? 0); i++) {
    const frame = streams[0]?.frames[i];
    if (!typesOf(frame)?.includes("forbidden")) streams[0]?.accept(frame);
    else streams[0]?.refuse(frame?.sequence ?? 0, Code.PERMISSION_DENIED, reason("PERMISSION_DENIED"));
    await new Promise(setImmediate);
  }

  const results = await Promise.allSettled(calls);

  expect(types.filter((_, i) => results[i]?.status === "rejected")).toEqual(["forbidden"]);
  expect(results[3]).toMatchObject({ reason: { code: "PERMISSION_DENIED", effect: "none" } });
});

it("does not send the tasks of a refused frame anew when the broker does not say that nothing happened", async () => {
  const calls = [enqueue("a"), enqueue("b")];
  await flushed();

  streams[0]?.refuse(1, Code.INTERNAL);

  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "INTERNAL", effect: "unknown" });
  expect(streams[0]?.written.length).toBe(1);
});

it("waits as long as a full broker asks, and then sends the same bytes", async () => {
  const call = enqueue("a");
  await flushed();

  streams[0]?.refuse(1, Code.RESOURCE_EXHAUSTED, reason("STORE_FULL"), retryInfo(5));
  vi.advanceTimersByTime(4_999);
  expect(streams[0]?.written.length).toBe(1);
  vi.advanceTimersByTime(1);

  expect(streams[0]?.written[1]).toEqual(streams[0]?.written[0]);
  streams[0]?.accept(streams[0].frames[1]);
  await expect(call).resolves.toMatchObject({ outcome: "created" });
});

it("tells a caller at once who would not wait as long as a full broker asks", async () => {
  const call = enqueue("a", { deadlineMs: 1_000 });
  await flushed();

  streams[0]?.refuse(1, Code.RESOURCE_EXHAUSTED, reason("STORE_FULL"), retryInfo(5));

  await expect(call).rejects.toMatchObject({
    name: "ResourceExhausted",
    reason: "STORE_FULL",
    retryAfterMs: 5_000,
    effect: "none",
  });
});

it("goes to the next broker when one is draining", async () => {
  void enqueue("a");
  await flushed();

  streams[0]?.refuse(1, Code.UNAVAILABLE, reason("DRAINING"));
  vi.advanceTimersByTime(100);

  expect(streams[0]?.isCancelled).toBe(true);
  expect(streams[1]?.written).toEqual(streams[0]?.written);
});

it("lets a broker that leaves answer what it has, and goes to the next", async () => {
  const first = enqueue("a");
  await flushed();
  left.get("one")?.();
  const second = enqueue("b");
  await flushed();

  expect(streams[0]).toMatchObject({ hasEnded: true, isCancelled: false });
  expect(streams[0]?.written.length).toBe(1);
  streams[0]?.accept(streams[0].frames[0]);
  await expect(first).resolves.toMatchObject({ taskId: "id of a" });
  vi.advanceTimersByTime(100);
  expect(streams[1]?.frames.map(typesOf)).toEqual([["b"]]);
  streams[1]?.accept(streams[1].frames[0]);
  await expect(second).resolves.toMatchObject({ taskId: "id of b" });
});

it("leaves a broker that answers nothing for ten seconds", async () => {
  void enqueue("a");
  await flushed();

  vi.advanceTimersByTime(10_200);

  expect(streams[0]?.isCancelled).toBe(true);
  expect(streams[1]?.written).toEqual(streams[0]?.written);
});

it("says that the outcome is unknown when the deadline passes without an answer", async () => {
  const call = enqueue("a", { deadlineMs: 500 });
  await flushed();

  vi.advanceTimersByTime(502);

  await expect(call).rejects.toThrow("a task of type a within 500 ms: whether it was enqueued is unknown");
});

it("says that nothing was enqueued when there was no connection until the deadline", async () => {
  const call = enqueue("a", { deadlineMs: 150 });
  await flushed();

  streams[0]?.break(Code.UNAVAILABLE, "No connection established. Last error: refused");
  vi.advanceTimersByTime(100);
  streams[1]?.break(Code.UNAVAILABLE, "No connection established. Last error: refused");
  vi.advanceTimersByTime(52);

  await expect(call).rejects.toMatchObject({ name: "Unavailable", effect: "none" });
});

it("finds the frame that breaks the streams, and fails no other", async () => {
  const calls: Promise<unknown>[] = [];
  for (const type of ["a", "poison", "c"]) {
    calls.push(enqueue(type));
    await flushed();
  }
  const tooLarge = () => streams.at(-1)?.break(Code.RESOURCE_EXHAUSTED, "Received message larger than max");

  tooLarge();
  expect(streams[1]?.frames.map(typesOf)).toEqual([["a"]]);
  streams[1]?.accept(streams[1].frames[0]);
  await flushed();
  expect(streams[1]?.frames.map(typesOf)).toEqual([["a"], ["poison"]]);
  tooLarge();

  await expect(calls[1]).rejects.toMatchObject({ name: "ResourceExhausted" });
  expect(streams[2]?.frames.map(typesOf)).toEqual([["c"]]);
  streams[2]?.accept(streams[2].frames[0]);
  await expect(calls[0]).resolves.toMatchObject({ taskId: "id of a" });
  await expect(calls[2]).resolves.toMatchObject({ taskId: "id of c" });
});

it("takes no more tasks than its buffer holds", async () => {
  replaceProducer(newBrokers(["one"]), 100);
  const calls = Array.from({ length: 20 }, () => enqueue("0123456789"));
  await flushed();

  await expect(calls.at(-1)).rejects.toMatchObject({ name: "ResourceExhausted", reason: "CLIENT_BUFFER_FULL" });
  streams[0]?.accept(streams[0].frames[0]);
  await expect(calls[0]).resolves.toBeDefined();
  void enqueue("again");
  await flushed();
  expect(typesOf(streams[0]?.frames[1])).toEqual(["again"]);
});

it("ends a stream that has been idle for five seconds, and opens another for the next task", async () => {
  void enqueue("a");
  await flushed();
  vi.advanceTimersByTime(4_000);
  streams[0]?.accept(streams[0].frames[0]);

  vi.advanceTimersByTime(4_999);
  expect(streams[0]?.hasEnded).toBe(false);
  vi.advanceTimersByTime(1);
  expect(streams[0]?.hasEnded).toBe(true);

  void enqueue("b");
  await flushed();
  expect(streams[1]?.frames.map(typesOf)).toEqual([["b"]]);
});

it("keeps a stream on which an answer is waited for", async () => {
  void enqueue("a");
  await flushed();

  vi.advanceTimersByTime(9_000);

  expect(streams[0]).toMatchObject({ hasEnded: false, isCancelled: false });
});

it("closes after the last answer", async () => {
  void enqueue("a");
  let isClosed = false;
  const closing = producer.close().then(() => {
    isClosed = true;
  });
  await flushed();
  expect(isClosed).toBe(false);

  streams[0]?.accept(streams[0].frames[0]);
  await closing;

  expect(streams[0]?.hasEnded).toBe(true);
});
