import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { emailHandler } from "../examples/handlers/email.ts";
import { imageProcessingHandler } from "../examples/handlers/image-processing.ts";
import { Bury, Discard, Retry, Snooze, TaskCancelled } from "./errors.ts";
import { runHandler } from "./testing.ts";

describe("runHandler", () => {
  it("gives the handler the task and tells what it came to", async () => {
    const run = await runHandler<{ to: string }>(
      async (task, ctx) => {
        ctx.progress(50, "half");
        ctx.extend(1_000);
        return { to: task.payload.to, type: task.type, queue: task.queue, attempt: ctx.attempt, headers: task.headers };
      },
      { type: "mail/send", payload: { to: "a@b.c" }, headers: { h: "1" }, attempt: 3 },
    );

    expect(run).toEqual({
      outcome: "ack",
      result: { to: "a@b.c", type: "mail/send", queue: "mail.send", attempt: 3, headers: { h: "1" } },
      error: undefined,
      afterMs: undefined,
      progress: [{ percent: 50, detail: "half" }],
      extended: [1_000],
    });
  });

  it("tells errors apart", async () => {
    const thrown = (error: unknown) =>
      runHandler(() => {
        throw error;
      });

    expect(await thrown(new Error("x"))).toMatchObject({ outcome: "retry", afterMs: undefined, error: new Error("x") });
    expect(await thrown(new Retry(5, "x"))).toMatchObject({ outcome: "retry", afterMs: 5 });
    expect(await thrown(new Snooze(7))).toMatchObject({ outcome: "snooze", afterMs: 7 });
    expect(await thrown(new Bury("x"))).toMatchObject({ outcome: "bury" });
    expect(await thrown(new Discard("x"))).toMatchObject({ outcome: "discard" });
  });

  it("passes bytes as they are, and the middleware through", async () => {
    const bytes = new Uint8Array([1, 2, 255]);

    const run = await runHandler(({ payload }) => payload, {
      payload: bytes,
      middleware: [(_task, _ctx, next) => next()],
    });

    expect(run.result).toEqual(Buffer.from(bytes));
  });

  it("can take the task away", async () => {
    const controller = new AbortController();
    const cancel = { signal: controller.signal, reason: "timeout" as const };

    const run = runHandler(
      async (_task, { signal }) => {
        queueMicrotask(() => controller.abort());
        await once(signal, "abort");
        throw signal.reason;
      },
      { cancel },
    );

    expect(await run).toMatchObject({ outcome: "cancelled", error: new TaskCancelled("timeout") });
  });
});

describe("the example handlers", () => {
  /** Draws the given numbers, one after the other. */
  const drawing =
    (...numbers: number[]) =>
    () =>
      numbers.shift() ?? 0.5;

  it("email needs `to`, and fails when the server does", async () => {
    const email = { type: "email", payload: { to: "a@b.c" } };

    expect(await runHandler(emailHandler(), { type: "email", payload: {} })).toMatchObject({
      outcome: "retry",
      error: { message: "missing 'to' field in email task" },
    });
    expect(await runHandler(emailHandler(drawing(0, 0.04)), email)).toMatchObject({
      outcome: "retry",
      error: { message: "SMTP server temporarily unavailable" },
    });
    expect(await runHandler(emailHandler(drawing(0, 0.05)), email)).toMatchObject({
      outcome: "ack",
      result: { to: "a@b.c" },
    });
  });

  it("image processing needs `image_url`, tells its progress, and fails on corrupt data", async () => {
    const image = {
      type: "image_processing",
      payload: { image_url: "http://x/y.png", operations: ["resize", "compress"] },
    };

    expect(await runHandler(imageProcessingHandler(), { ...image, payload: {} })).toMatchObject({
      outcome: "retry",
      error: { message: "missing 'image_url' field in image processing task" },
    });
    expect(await runHandler(imageProcessingHandler(drawing(0, 0.02)), image)).toMatchObject({
      error: { message: "image processing failed: corrupt image data" },
    });
    expect(await runHandler(imageProcessingHandler(drawing(0, 0.03)), image)).toMatchObject({
      outcome: "ack",
      progress: [
        { percent: 0, detail: { operation: "resize" } },
        { percent: 50, detail: { operation: "compress" } },
      ],
    });
  });
});
