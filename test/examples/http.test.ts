/** The calls that docs/http.md and the README show over HTTP, taken with a real broker. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { callsOf, httpTool, snippets, take } from "../support/shell.ts";

const PAGE = "docs/http.md";
const lines = [...callsOf(PAGE, "curl"), ...callsOf("README.md", "curl")];

let broker: BrokerProcess;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "taskwire-http-"));
  broker = await startBroker({ dataDir });
});
afterAll(async () => {
  await broker.kill();
  await rm(dataDir, { recursive: true, force: true });
});

test(`the calls of the page answer as it says, taken with ${httpTool}`, async () => {
  expect(lines).toHaveLength(13);
  // In their order: some speak of the task of an earlier one.
  for (const line of lines) expect(await take(line, broker), line).toMatch(expected(line));
});

test("the answers that the page shows have the form of real ones", async () => {
  const [enqueued, refused] = snippets(PAGE, "json").map((json) => JSON.parse(json));

  const first = JSON.parse(await take(lines.find((line) => line.includes('"a@b.c"')) ?? "", broker));
  const wrong = JSON.parse(await take(lines.find((line) => line.includes("no spaces")) ?? "", broker));

  expect(first).toEqual({ ...enqueued, taskId: expect.stringMatching(/^[0-9A-Z]{31}$/) });
  const withoutValues = wrong.details.map(({ value: _, ...shown }: { value: string }) => shown);
  expect({ ...wrong, details: withoutValues }).toEqual(refused);
});

function expected(line: string): RegExp {
  if (line.includes("no spaces")) return /"code":"invalid_argument"/;
  if (line.includes("Enqueue")) return /"outcome":"OUTCOME_CREATED"/;
  if (line.includes("GetTask")) return /"state":"TASK_STATE_SCHEDULED"/;
  if (line.includes("AwaitTask")) return /"code":"deadline_exceeded"/;
  if (line.includes("/readyz")) return /^\{"status":"ready"\}\n$/;
  if (line.includes("/events/stats")) return /^retry: \d+\n\n(data: \{"stats":.*\n\n){2}$/;
  if (line.includes("/failed")) return /^\{"tasks":\[/;
  if (line.includes("/metrics")) return /^taskwire_queue_tasks\{/m;
  return line.includes("/queues") ? /^\{"queues":\[/ : /^\{"stats":\{/;
}
