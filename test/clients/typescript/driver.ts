/**
 * What scenario.ts asks of each language, in TypeScript, by the SDKs.
 *
 *     driver.ts work <queue> <concurrency> <session timeout in s> <shutdown in s> <address>...
 *     driver.ts produce <address>
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@taskwire/client";
import { Bury, Discard, Retry, Snooze, Worker } from "@taskwire/worker";
import type { Asked, Ended, Enqueue } from "../driver.ts";

const say = (...words: readonly string[]) => process.stdout.write(`${words.join(" ")}\n`);

async function work(...args: readonly string[]): Promise<void> {
  const [queue = "", concurrency, sessionTimeout, shutdown, ...address] = args;
  const go = once(process.stdin, "data");
  const seen = new Set<string>();
  const worker = new Worker({
    address,
    queues: [queue],
    concurrency: Number(concurrency),
    sessionTimeoutMs: Number(sessionTimeout) * 1_000,
    shutdownMs: Number(shutdown) * 1_000,
  });
  worker.on("refused", ({ reason }) => say("refused", reason));
  worker.handle("echo", ({ bytes }) => bytes);
  worker.handle("large", () => new Uint8Array(900_000));
  worker.handle("too-large", () => new Uint8Array(1_100_000));
  worker.handle("third-time", (_task, { attempt }) => {
    if (attempt === 1) throw new Retry(20, "the first time");
    if (attempt === 2) throw new Error("the second time");
    return Buffer.from("the third time");
  });
  worker.handle("bury", () => {
    throw new Bury("no good");
  });
  worker.handle("discard", () => {
    throw new Discard("not worth it");
  });
  worker.handle("not-now", ({ id }, { attempt }) => {
    if (!seen.has(id)) {
      seen.add(id);
      throw new Snooze(50);
    }
    return Buffer.from(String(attempt));
  });
  worker.handle("extend", async ({ id }, ctx) => {
    ctx.extend(30_000);
    say("started", id);
    await go;
    return Buffer.from("extended");
  });
  worker.handle("hold", async ({ id }, { signal }) => {
    say("started", id);
    signal.addEventListener("abort", () => say("cancelled", id));
    const never = sleep(2 ** 31 - 1, undefined, { signal });
    await Promise.race([go, never]);
    say("ending", id);
    return Buffer.from("held");
  });
  await worker.run();
  say("left");
  process.exit(0);
}

async function produce(address = ""): Promise<void> {
  const client = new Client({ address });
  for await (const line of createInterface({ input: process.stdin })) {
    // The test writes nothing else.
    const asked = JSON.parse(line) as Asked;
    say(JSON.stringify("await" in asked ? await follow(client, asked.await) : { ids: await enqueue(client, asked) }));
  }
}

async function enqueue(client: Client, { how, type, queue, payloads, maxRetries, timeoutMs }: Enqueue) {
  const options = { queue, maxRetries, timeoutMs, retry: { backoff: "fixed", baseMs: 20 } } as const;
  const bytes = payloads.map((payload) => Buffer.from(payload, "hex"));
  if (how === "one by one")
    return Promise.all(bytes.map(async (payload) => (await client.enqueue(type, payload, options)).taskId));
  const enqueued = await client.enqueueMany(bytes.map((payload) => ({ type, payload, ...options })));
  return enqueued.map(({ taskId }) => taskId);
}

async function follow(client: Client, taskId: string): Promise<Ended> {
  const { state, attempt, lastResult } = await client.await(taskId, { deadlineMs: 15_000 });
  return {
    state,
    attempt,
    result: Buffer.from(lastResult?.result ?? []).toString("hex"),
    error: lastResult?.errorMessage ?? "",
  };
}

const [role, ...args] = process.argv.slice(2);
await (role === "work" ? work(...args) : produce(...args));
