/** Plays the scenario in each language, and runs the examples as their READMEs say. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { hasRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { runExample } from "./driver.ts";
import { LANGUAGES } from "./languages.ts";
import { SCENARIO } from "./scenario.ts";
import { STORY } from "./story.ts";
import { inWorld, Producers } from "./world.ts";

const isRedisThere = await hasRedis();
const PAGE = join(import.meta.dirname, "../../docs/writing-workers.md");
/** On a new machine that does other work as well. */
const PREPARE_TIMEOUT_MS = 600_000;

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

  for (const { title, needsRedis = false, play } of STORY)
    test.skipIf(needsRedis && !isRedisThere)(`writing-workers.md shows ${title} as it is`, () =>
      inWorld({ language, broker, producers }, async (world) => {
        const said = await play(world);
        expect(said.filter(isTold)).toEqual(await exchange(title));
      }),
    );

  test("the examples do what their README says", async () => {
    const worker = runExample(language.example("hello", [broker.address]));
    const producer = runExample(language.example("produce", [broker.address]));
    expect(await producer.ended, producer.output()).toBe(0);
    expect(producer.output()).toContain("Hello, Ada!");

    // Who works is told anew every two seconds.
    let numbers = "";
    await until(
      () => `the numbers tell of one worker: ${numbers}`,
      async () => {
        const watch = runExample(language.example("watch", [broker.address, "1"]));
        expect(await watch.ended, watch.output()).toBe(0);
        numbers = watch.output();
        return /workers: 1[\s\S]*hello/.test(numbers);
      },
    );
    expect(await worker.terminate(), worker.output()).toBe(0);
  });
});

/** These come when they come. */
function isTold(line: string): boolean {
  return !/ (heartbeat|window)$/.test(line);
}

/** The frames in the block of the page that begins with this mark. */
async function exchange(title: string): Promise<string[]> {
  const page = await readFile(PAGE, "utf8");
  const block = page.split(`<!-- exchange: ${title} -->\n\n\`\`\`text\n`)[1]?.split("```")[0] ?? "";
  return [...block.matchAll(/^\w+ (?:->|<-) \w+/gm)].map(([line]) => line).filter(isTold);
}
