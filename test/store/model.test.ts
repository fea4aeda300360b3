/** Random walks: every store does as the model does. A failure prints its seed; WALK_SEED=<seed> repeats it. */
import fc from "fast-check";
import { afterAll, describe, test } from "vitest";
import type { Backend, OpenStore } from "./backend.ts";
import { backends } from "./backends.ts";
import { Walk } from "./walk.ts";
import { step } from "./walk-steps.ts";

const RUNS = Number(process.env["WALK_RUNS"] ?? 60);
const SEED = process.env["WALK_SEED"];

for (const backend of backends) {
  const isAvailable = await backend.available();
  describe(`the ${backend.name} store`, () => {
    test.skipIf(!isAvailable && process.env["CI"] !== "true")(
      "does as the model does",
      { timeout: 120_000 },
      async () => {
        const opened = await openBrokers(backend);
        const stores = opened.map(({ store }) => store);
        let walks = 0;
        const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
          const walk = new Walk(stores, `walk-${walks++}`);
          for (const take of steps) await take.run(walk);
          await walk.drain();
        });

        await fc.assert(property, { numRuns: RUNS, ...(SEED ? { seed: Number(SEED) } : {}) });

        for (const one of opened.reverse()) await one.close();
      },
    );
    afterAll(() => backend.close());
  });
}

/** Two brokers where there can be two. */
async function openBrokers(backend: Backend): Promise<OpenStore[]> {
  const first = await backend.open({ maxQueues: 100_000 });
  return backend.capabilities.shared ? [first, await first.second()] : [first];
}
