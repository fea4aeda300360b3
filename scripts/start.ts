/**
 * `npm start`: a broker on its embedded store, a worker and a producer, as three processes, and a picture of what happens.
 * It stays up until Ctrl-C; with --once it leaves when all tasks have ended: with 0 if every failed attempt was retried.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client, type Stats } from "@taskwire/client";
import { type Child, run } from "./start/children.ts";
import { draw, ended, type FailedAttempt, finish } from "./start/picture.ts";

const HELP = `npm start [-- options]
  --once                  leave when all 110 tasks have ended: 0 if every failed attempt was retried, else 1
  --grpc-listen <addr>    where the broker listens (default 127.0.0.1:50051; port 0 picks a free one)
  --help                  this text`;

/** The workload of client/examples/producer.ts. */
const EXPECTED = { email: 100, image_processing: 10 };
const LONGEST_IMAGE_DELAY_S = 15;

const root = join(import.meta.dirname, "..");
const options = readOptions();
const dataDir = mkdtempSync(join(tmpdir(), "taskwire-start-"));
process.on("exit", () => rmSync(dataDir, { recursive: true, force: true }));
const children: Child[] = [];
const failures: FailedAttempt[] = [];
const stopping = new AbortController();
let signals = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (++signals > 1) process.exit(130);
    stopping.abort();
  });
}

process.exitCode = await main().catch((error: unknown) => {
  finish();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
await stopAll();

function readOptions(): { once: boolean; listen: string } {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: "boolean", default: false },
        "grpc-listen": { type: "string", default: "127.0.0.1:50051" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${HELP}\n`);
      process.exit(0);
    }
    return { once: values.once, listen: values["grpc-listen"] };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${HELP}\n`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const address = await startBroker();
  start("worker", ["--import", "tsx", join(root, "worker-sdk/examples/consumer.ts"), address], noteFailure);
  const producer = start("producer", [
    "--import",
    "tsx",
    join(root, "client/examples/producer.ts"),
    address,
    String(LONGEST_IMAGE_DELAY_S),
  ]);
  void producer.ended.then((code) => {
    if (code !== 0 && !stopping.signal.aborted) process.stderr.write(`the producer ended with ${code}\n`);
  });
  const stats = await watch(address);
  if (!stats) return 130;
  const isGood = report(stats);
  if (options.once) return isGood ? 0 : 1;
  process.stdout.write(whatNext(address));
  await new Promise((resolve) => stopping.signal.addEventListener("abort", resolve));
  return 0;
}

/** Resolves with the address when it is ready. @throws with what it said when it does not start */
async function startBroker(): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    const args = [
      join(root, "server/dist/main.js"),
      "--store",
      "embedded",
      "--data-dir",
      dataDir,
      "--grpc-listen",
      options.listen,
    ];
    const broker = start("broker", args, (line, log) => {
      if (log?.["msg"] === "broker ready") resolve(String(log["grpc"]));
      const { err } = log ?? {};
      if (typeof err === "object" && err !== null && "message" in err) said.push(String(err.message));
      else if (!log) said.push(line);
    });
    void broker.ended.then((code) =>
      reject(
        new Error(
          `the broker ended with ${code}: ${said.join("\n")}\nAnother address: npm start -- --grpc-listen 127.0.0.1:0`,
        ),
      ),
    );
  });
}

function start(...args: Parameters<typeof run>): Child {
  const child = run(...args);
  children.push(child);
  return child;
}

function noteFailure(_: string, log: Readonly<Record<string, unknown>> | undefined): void {
  if (log?.["msg"] !== "attempt failed") return;
  const { type, attempt, err } = log;
  const message = typeof err === "object" && err !== null && "message" in err ? String(err.message) : "";
  failures.push({ at: new Date(), type: String(type), attempt: Number(attempt), message });
}

/** Draws until all tasks have ended; undefined when it was stopped before. */
async function watch(address: string): Promise<Stats | undefined> {
  await using client = new Client({ address });
  const startedAt = performance.now();
  const total = Object.values(EXPECTED).reduce((sum, count) => sum + count, 0);
  // A terminal is drawn often; a log gets a line a second.
  const intervalMs = process.stdout.isTTY ? 250 : 1_000;
  for await (const stats of client.watchStats({ intervalMs, signal: stopping.signal })) {
    draw({ address, expected: EXPECTED, stats, failures, elapsedMs: performance.now() - startedAt });
    if (ended(stats.total) >= total) {
      finish();
      return stats;
    }
  }
  finish();
  return undefined;
}

function report({ total }: Stats): boolean {
  const isGood = total.retried + total.dead >= total.failed;
  process.stdout.write(
    `\n${total.completed} tasks completed, ${total.failed} attempts failed, ${total.retried} of them retried, ${total.dead} tasks dead\n`,
  );
  if (!isGood)
    process.stderr.write(`${total.failed - total.retried - total.dead} failed attempts were not followed by another\n`);
  return isGood;
}

function whatNext(address: string): string {
  return `
The broker and the worker stay up. In another terminal:

  grpcurl -plaintext ${address} list
  grpcurl -plaintext -d '{"type":"email","json":{"to":"a@b.c"}}' ${address} taskwire.v1.TaskService/Enqueue
  grpcurl -plaintext -d '{"limit":3}' ${address} taskwire.v1.StatsService/WatchStats

Ctrl-C stops them.
`;
}

/** The producer first, so that nothing new comes; the broker last, so that the worker can settle what it has. */
async function stopAll(): Promise<void> {
  stopping.abort();
  for (const name of ["producer", "worker", "broker"]) {
    await Promise.all(children.filter((child) => child.name === name).map((child) => child.stop()));
  }
}
