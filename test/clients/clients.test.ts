/** Plays the scenario in each language, and runs the examples as their READMEs say. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { hasRedis } from "../support/redis.ts";
import { runExample } from "./driver.ts";
import { LANGUAGES } from "./languages.ts";
import { SCENARIO } from "./scenario.ts";
import { inWorld, Producers } from "./world.ts";

const isRedisThere = await hasRedis();
const PREPARE_TIMEOUT_MS = 300_000;

const producers = new Producers();
let broker: BrokerProcess;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "taskwire-clients-"));
  broker = await startBroker({ dataDir });
});
afterAll(async () => {
  await producers.kill();
  await broker.kill();
  await rm(dataDir, { recursive: true, force: true });
});

beforeAll(async () => {
  for (const language of LANGUAGES) if (language.missing === undefined) await language.prepare();
}, PREPARE_TIMEOUT_MS);

describe.for(LANGUAGES)("$name", (language) => {
  if (language.missing !== undefined) {
    const why = `needs ${language.missing}`;
    if (process.env["CI"]) test(why, () => expect.fail(`this machine has no ${language.missing}`));
    else test.skip(why);
    return;
  }

  for (const { title, needsRedis = false, play } of SCENARIO)
    test.skipIf(needsRedis && !isRedisThere)(title, () => inWorld({ language, broker, producers }, play));

  test("the examples do what their README says", async () => {
    const worker = runExample(language.example("hello", [broker.address]));
    const producer = runExample(language.example("produce", [broker.address]));
    expect(await producer.ended, producer.output()).toBe(0);
    expect(producer.output()).toContain("Hello, Ada!");
    const watch = runExample(language.example("watch", [broker.address, "1"]));

    expect(await watch.ended, watch.output()).toBe(0);
    expect(watch.output()).toMatch(/workers: 1[\s\S]*hello/);
    expect(await worker.terminate(), worker.output()).toBe(0);
  });
});
