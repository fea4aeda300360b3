/**
 * How a handler decides what becomes of a task that it cannot do.
 *
 *     node --import tsx worker-sdk/examples/retries.ts [host:port]
 */
import { Bury, Discard, Retry, Snooze, Worker } from "@taskwire/worker";

interface Webhook {
  readonly url: string;
  /** Stands for what the other side answers. */
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

const worker = new Worker({ address });
worker.handle<Webhook>("webhook", ({ payload: { url, status, retryAfterSeconds = 1 } }) => {
  switch (status) {
    case 200:
      return { delivered: url };
    case 404:
      // No retry helps. The task is dead, and can be looked at and revived.
      throw new Bury(`${url} does not exist`);
    case 410:
      // Nobody needs to look at it: the task ends as cancelled.
      throw new Discard(`${url} is gone for good`);
    case 425:
      // Not an attempt at all: come back in a while.
      throw new Snooze(2_000);
    case 429:
      // A failed attempt, tried again when the other side says so.
      throw new Retry(retryAfterSeconds * 1_000, "rate limited");
    default:
      // Any other error: tried again by the task's own policy, after 1, 4 and 9 s unless it was enqueued with another.
      throw new Error(`${url} answered ${status}`);
  }
});
await worker.run();
