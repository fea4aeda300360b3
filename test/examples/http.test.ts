/** The calls that docs/http.md and the README show over HTTP, taken with a real broker. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { ask } from "../support/http.ts";

const ROOT = join(import.meta.dirname, "../..");
const DEFAULT_ADDRESS = "127.0.0.1:8080";

const page = read("docs/http.md");
const lines = [...curls(page), ...curls(read("README.md"))];
const hasCurl = !spawnSync("curl", ["--version"]).error;

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

test(`the calls of the page answer as it says, taken with ${hasCurl ? "curl" : "Node"}`, async () => {
  expect(lines).toHaveLength(11);
  // In their order: some speak of the task of an earlier one.
  for (const line of lines) expect(await take(line), line).toMatch(expected(line));
});

test("the answers that the page shows have the form of real ones", async () => {
  const [enqueued, refused] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));

  const first = JSON.parse(await take(lines.find((line) => line.includes('"a@b.c"')) ?? ""));
  const wrong = JSON.parse(await take(lines.find((line) => line.includes("no spaces")) ?? ""));

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
  return line.includes("/queues") ? /^\{"queues":\[/ : /^\{"stats":\{/;
}

function curls(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  return blocks.flatMap((code) => code.split("\n")).filter((line) => line.startsWith("curl "));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

async function take(line: string): Promise<string> {
  if (!hasCurl) return takeWithoutCurl(line);
  const command = line.replace(DEFAULT_ADDRESS, broker.httpAddress);
  return (await promisify(execFile)("sh", ["-c", command])).stdout;
}

/** The same request. */
async function takeWithoutCurl(line: string): Promise<string> {
  const headers = Object.fromEntries(
    [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
  );
  const [, body] = /-d '([^']+)'/.exec(line) ?? [];
  const [, path = ""] = /127\.0\.0\.1:8080([^\s']*)/.exec(line) ?? [];
  return (await ask(broker.httpAddress, path, { headers, ...(body && { body }) })).text;
}
