/** Every example does what it says, against a real broker. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@taskwire/client";
import { test as base, expect } from "vitest";
import { startBroker } from "../support/broker.ts";
import { FROM_SOURCE, type Program, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const FOLDERS = ["client/examples", "worker-sdk/examples"];

interface Fixtures {
  readonly address: string;
  readonly client: Client;
  /** Runs an example: its file, and its arguments after the address. */
  readonly run: (file: string, ...args: readonly string[]) => Program;
}

const shown = new Set<string>();

const test = base.extend<Fixtures>({
  address: async ({}, use) => {
    const dataDir = await mkdtemp(join(tmpdir(), "taskwire-examples-"));
    const broker = await startBroker({ dataDir });
    await use(broker.address);
    await broker.kill();
    await rm(dataDir, { recursive: true, force: true });
  },
  client: async ({ address }, use) => {
    await using client = new Client({ address });
    await use(client);
  },
  run: async ({ address }, use) => {
    const running: Program[] = [];
    await use((file, ...args) => {
      shown.add(file);
      const example = startProgram([...FROM_SOURCE, file, address, ...args]);
      running.push(example);
      return example;
    });
    for (const example of running) await example.kill();
  },
});

test("hello.ts answers hello.ts and enqueue.ts, and leaves in good order", async ({ run }) => {
  const worker = run("worker-sdk/examples/hello.ts");
  const smallest = run("client/examples/hello.ts");
  const producer = run("client/examples/enqueue.ts");

  expect(await smallest.ended, smallest.output()).toBe(0);
  expect(smallest.output()).toBe("Hello, Ada!\n");
  expect(await producer.ended, producer.output()).toBe(0);
  expect(producer.output()).toMatch(/durability: fsync[\s\S]*result: Hello, Ada!/);
  expect(await worker.terminate()).toBe(0);
});

test("watch-stats.ts shows the numbers as often as it was asked to", async ({ run, client }) => {
  await client.enqueue("email", { to: "user@example.com" });

  const watch = run("client/examples/watch-stats.ts", "2");

  expect(await watch.ended, watch.output()).toBe(0);
  expect(watch.output().match(/workers: 0/g)).toHaveLength(2);
  expect(watch.output()).toContain("email");
});

test("producer.ts enqueues 100 emails and 10 images, and consumer.ts works on both", async ({ run, client }) => {
  const worker = run("worker-sdk/examples/consumer.ts");
  const producer = run("client/examples/producer.ts", "3600", "0");
  expect(await producer.ended, producer.output()).toBe(0);
  const due = await client.enqueue("image_processing", { image_url: "https://example.com/a.jpg", operations: [] });
  await client.await(due.taskId, { deadlineMs: 30_000 });

  const queues = await until(
    "all emails have ended",
    async () => {
      for await (const { queues } of client.watchStats({ limit: 1 })) {
        const { completed = 0, dead = 0 } = queues["email"] ?? {};
        // Four failures in a row are unlikely, not impossible.
        if (completed + dead === 100) return queues;
      }
      return undefined;
    },
    { withinMs: 40_000, everyMs: 100 },
  );
  expect(queues["image_processing"]).toMatchObject({ enqueued: 11, scheduled: 10 });
  expect(await worker.terminate()).toBe(0);
});

test("retries.ts ends each webhook as its comments say", async ({ run, client }) => {
  run("worker-sdk/examples/retries.ts");
  const enqueue = async (status: number) => {
    const webhook = { url: "https://example.com", status, retryAfterSeconds: 3_600 };
    return (await client.enqueue("webhook", webhook)).taskId;
  };
  const [ok, missing, gone, early, limited, broken] = await Promise.all([200, 404, 410, 425, 429, 500].map(enqueue));

  expect(await client.await(ok ?? "")).toMatchObject({ state: "completed" });
  expect(await client.await(missing ?? "")).toMatchObject({
    state: "dead",
    lastResult: { errorMessage: "https://example.com does not exist" },
  });
  expect(await client.await(gone ?? "")).toMatchObject({ state: "cancelled" });
  const put = (taskId = "") =>
    until("it waits", async () => {
      const status = await client.get(taskId);
      return status.state === "scheduled" ? status : undefined;
    });
  const waiting = await Promise.all([early, limited, broken].map(put));
  expect(waiting[0]).toMatchObject({ attempt: 1 });
  expect(waiting[1]?.runTime?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  expect(waiting[2]).toMatchObject({
    attempt: 2,
    lastResult: { errorMessage: "https://example.com answered 500" },
  });
});

test("run-handler.ts tells what became of the task", async ({ run }) => {
  const example = run("worker-sdk/examples/run-handler.ts");

  expect(await example.ended, example.output()).toBe(0);
  expect(example.output()).toBe("retry: SMTP server temporarily unavailable\n");
});

test("graceful-shutdown.ts gives back what it runs at a second signal", async ({ run, client }) => {
  const worker = run("worker-sdk/examples/graceful-shutdown.ts");
  const { taskId } = await client.enqueue("report", null);
  await until("it runs", async () => (await client.get(taskId)).state === "active", { withinMs: 20_000 });

  worker.beginToStop();
  await until("the first is heard", () => worker.output().includes("stopping"));
  worker.beginToStop();

  expect(await worker.ended).toBe(143);
  expect(
    await until("it is back", async () => (await client.get(taskId)).state === "ready" && client.get(taskId)),
  ).toMatchObject({ attempt: 1 });
});

test("no example is left out", async () => {
  const folders = await Promise.all(
    FOLDERS.map(async (folder) => (await readdir(join(ROOT, folder))).map((file) => `${folder}/${file}`)),
  );

  expect([...shown].toSorted()).toEqual(
    folders
      .flat()
      .filter((file) => file.endsWith(".ts"))
      .toSorted(),
  );
});
