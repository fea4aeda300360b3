/**
 * A handler that can be interrupted, and a worker that gives it ten seconds when it is told to stop.
 *
 * SIGTERM: no more tasks; running handlers may finish; after ten seconds `ctx.signal` is aborted and their tasks go
 * back to the queue, no attempt spent. A second signal does so at once.
 *
 *     node --import tsx worker-sdk/examples/graceful-shutdown.ts [host:port]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "@taskwire/worker";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);
const STEPS = 20;

const worker = new Worker({ address, concurrency: 2, shutdownMs: 10_000 });
worker.handle("report", async (_task, ctx) => {
  for (let step = 1; step <= STEPS; step++) {
    await sleep(1_000, undefined, { signal: ctx.signal });
    ctx.progress((100 * step) / STEPS, { step });
    // The default timeout is 30 s, from the delivery: each step asks for as much again.
    ctx.extend(30_000);
  }
  return { steps: STEPS };
});
worker.on("connected", ({ address: broker }) => console.log(`working for ${broker}`));

await worker.run();
console.log("everything is settled, good bye");
