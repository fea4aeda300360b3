/** Runs a handler without a broker: for the unit tests of your handlers. */
import { Deliver, Task as WireTask } from "@taskwire/proto";
import { type Logger, pino } from "pino";
import { deliveriesOf } from "./delivery.ts";
import type { CancelReason } from "./errors.ts";
import { Execution, execute, type Source } from "./execution.ts";
import { compose, type Middleware } from "./middleware.ts";
import { encodeValue, type Outcome } from "./outcome.ts";
import { defaultQueue, type Handler } from "./registry.ts";

/** The task to run the handler with. */
export interface TestTask {
  /** @defaultValue "test" */
  readonly type?: string;
  /** Bytes as they are; anything else as JSON, unless `contentType` says otherwise. */
  readonly payload?: unknown;
  /** @defaultValue "application/json" when the payload is not bytes */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @defaultValue 1 */
  readonly attempt?: number;
  /** @defaultValue the type, with / as a dot */
  readonly queue?: string;
  /** @defaultValue "test-1" */
  readonly id?: string;
  readonly priority?: number;
  /** @defaultValue now */
  readonly enqueuedAt?: Date;
  /** @defaultValue none */
  readonly middleware?: readonly Middleware[];
  /** @defaultValue silent */
  readonly logger?: Logger;
  /** Takes the task away from its handler as soon as this signal is aborted. */
  readonly cancel?: { readonly signal: AbortSignal; readonly reason: CancelReason };
}

/** What the handler came to. */
export interface HandlerRun {
  /** What the broker would be told; "cancelled": nothing, since the task was taken away. */
  readonly outcome: "ack" | "retry" | "bury" | "discard" | "snooze" | "cancelled";
  /** What the handler returned, as it is read back from the stored result: decoded JSON, or bytes. */
  readonly result: unknown;
  /** What the handler threw. */
  readonly error: unknown;
  /** The delay that the handler asked for with Retry or Snooze, in ms. */
  readonly afterMs: number | undefined;
  /** The calls of `ctx.progress`, in order. */
  readonly progress: readonly { readonly percent: number; readonly detail: unknown }[];
  /** The calls of `ctx.extend`, in ms, in order. */
  readonly extended: readonly number[];
}

/**
 * Runs a handler once, through the same code as a worker does.
 *
 * @example
 * ```ts
 * const run = await runHandler(email, { type: "email", payload: {} });
 * expect(run.outcome).toBe("retry");
 * expect(run.error).toMatchObject({ message: "missing 'to' field in email task" });
 * ```
 */
export async function runHandler<Payload = unknown>(
  handler: Handler<Payload>,
  task: TestTask = {},
): Promise<HandlerRun> {
  const progress: { percent: number; detail: unknown }[] = [];
  const extended: number[] = [];
  const source: Source = {
    log: task.logger ?? pino({ level: "silent" }),
    progress: (_, percent, detail) => progress.push({ percent, detail: detail && decode(detail) }),
    extend: (_, ms) => extended.push(ms),
    settle: () => {},
  };
  const execution = new Execution(deliveryOf(task), source);
  const { signal, reason } = task.cancel ?? {};
  if (signal && reason) {
    if (signal.aborted) execution.cancel(reason);
    else signal.addEventListener("abort", () => execution.cancel(reason), { once: true });
  }
  const { outcome, error } = await new Promise<{ outcome: Outcome; error: unknown }>((resolve) => {
    // The payload is what the test says it is.
    execute(execution, compose(task.middleware ?? [], handler as Handler), (_, ended, thrown) =>
      resolve({ outcome: ended, error: thrown }),
    );
  });
  const wasCancelled = execution.isOver;
  return {
    outcome: wasCancelled || outcome.kind === "release" ? "cancelled" : outcome.kind,
    result: outcome.kind === "ack" && outcome.result ? decode(outcome.result) : undefined,
    error,
    afterMs: outcome.kind === "retry" || outcome.kind === "snooze" ? outcome.afterMs : undefined,
    progress,
    extended,
  };
}

/** The task as a worker gets it: encoded by the contract and read back. */
function deliveryOf(task: TestTask) {
  const { type = "test", payload, id = "test-1", attempt = 1, enqueuedAt = new Date() } = task;
  const isPlain = payload === undefined || payload instanceof Uint8Array;
  const enqueuedAtMs = enqueuedAt.getTime();
  const wire = WireTask.fromPartial({
    id,
    type,
    queue: task.queue ?? defaultQueue(type),
    payload: (payload === undefined ? undefined : encodeValue(payload)) ?? new Uint8Array(),
    contentType: task.contentType ?? (isPlain ? "" : "application/json"),
    headers: { ...task.headers },
    priority: task.priority ?? 0,
    enqueueTime: { seconds: Math.floor(enqueuedAtMs / 1_000), nanos: (enqueuedAtMs % 1_000) * 1e6 },
  });
  const deliver = Deliver.fromPartial({ deliveries: [{ tag: 1, attempt, leaseToken: "test", task: wire }] });
  const [delivery] = deliveriesOf(deliver);
  if (!delivery) throw new Error("a Deliver with one delivery was read back without it");
  return delivery;
}

/** JSON if it is, else the bytes. */
function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return bytes;
  }
}
