/** The calls that docs/operations.md shows, taken with a real broker that has what the page speaks of. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@taskwire/client";
import { Worker } from "@taskwire/worker";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { callsOf, grpcTool, httpTool, take } from "../support/shell.ts";

const QUEUE = "email";
const lines = callsOf("docs/operations.md", "curl", "grpcurl");

let broker: BrokerProcess;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "taskwire-operations-"));
  broker = await startBroker({ dataDir });
  await using client = new Client({ address: broker.address });
  await client.enqueue("email", { to: "a@b.c" }, { taskId: "invoice-17", delayMs: 3_600_000 });
  await killSome(client);
});
afterAll(async () => {
  await broker.kill();
  await rm(dataDir, { recursive: true, force: true });
});

/** Two tasks die of the mail server, one of its address, and one of a queue of its own. */
async function killSome(client: Client): Promise<void> {
  const worker = new Worker({
    address: broker.address,
    queues: [QUEUE, "other"],
    signals: false,
    logger: pino({ level: "silent" }),
  });
  worker.handle<{ to?: string }>("email", ({ payload }) => {
    throw payload.to ? new Error("SMTP server temporarily unavailable") : new TypeError("missing 'to' field");
  });
  const running = worker.run();
  const once = { queue: QUEUE, maxRetries: 0 };
  const tasks = await Promise.all([
    client.enqueue("email", { to: "a@b.c" }, once),
    client.enqueue("email", { to: "b@b.c" }, once),
    client.enqueue("email", {}, { ...once, taskId: "welcome-7" }),
    client.enqueue("email", {}, once),
    client.enqueue("email", {}, { ...once, queue: "other" }),
  ]);
  const ends = await Promise.all(
    tasks.map(({ taskId }, i) => client.await(taskId, { queue: i < 4 ? QUEUE : "other" })),
  );
  expect(ends.every(({ state }) => state === "dead")).toBe(true);
  await worker.stop();
  await running;
}

test(`the calls of the page do what it says, taken with ${grpcTool} and ${httpTool}`, async () => {
  expect(lines).toHaveLength(EXPECTED.length);
  // In their order: some speak of what an earlier one did.
  for (const [i, line] of lines.entries()) {
    const { says = /^/, answers } = EXPECTED[i] ?? { answers: /^$/ };
    expect(line).toMatch(says);
    // The spaces that programs put into JSON differ.
    expect((await take(line, broker)).replace(/\s+/g, ""), line).toMatch(answers);
  }
});

/** What each line is, and what it answers. */
const EXPECTED: readonly { readonly says?: RegExp; readonly answers: RegExp }[] = [
  { says: /Health\/Check/, answers: /"status":"SERVING"/ },
  { says: /readyz/, answers: /"status":"ready"/ },
  { says: /WatchStats/, answers: /"queues":\[.*"name":"email"/ },
  { says: /curl.*ListTasks/, answers: /^\{"tasks":\[(.*TASK_STATE_DEAD){4}/ },
  { says: /grpcurl.*ListTasks/, answers: /"id":"invoice-17".*"state":"TASK_STATE_SCHEDULED"/ },
  { says: /GetTask/, answers: /"waitingReason":"scheduledfor/ },
  { says: /ListFailures/, answers: /(?=.*"id":"NMM0SJE5")(?=.*"message":"missing…field").*"count":"2"/ },
  { says: /curl.*CancelTask/, answers: /^\{("wasActive":false)?\}$/ },
  { says: /grpcurl.*CancelTask/, answers: /^\{\}$/ },
  { says: /grpcurl.*ReviveTasks/, answers: /^\{"revived":"2"\}$/ },
  { says: /curl.*ReviveTasks/, answers: /^\{"revived":"1"\}$/ },
  { says: /curl.*DeleteTasks/, answers: /^\{"deleted":"1"\}$/ },
  { says: /grpcurl.*"all":true/, answers: /^\{"deleted":"1"\}$/ },
  { says: /PauseQueue/, answers: /"paused":true/ },
  { says: /GetQueue/, answers: /"paused":true/ },
  { says: /ResumeQueue/, answers: /^(?!.*"paused":true).*"name":"email"/ },
  { says: /curl.*UpdateQueue/, answers: /"enqueueRate":\{"perSecond":50,"burst":100\}/ },
  { says: /grpcurl.*UpdateQueue/, answers: /"enqueueRate":\{"perSecond":0\.5,"burst":1\}/ },
  { says: /curl.*UpdateQueue/, answers: /^(?!.*enqueueRate).*"name":"email"/ },
];
