/** What a broker does before it serves. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, onTestFinished, vi } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { startProgram } from "../support/program.ts";
import { connect } from "../support/rpc.ts";
import { until } from "../support/until.ts";

interface Fixtures {
  readonly folder: string;
  /** Starts a broker that warms up, with this folder for temporary files. */
  readonly startIn: (temporary: string) => Promise<BrokerProcess>;
}

const test = base.extend<Fixtures>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "taskwire-test-"));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  startIn: async ({ folder }, use) => {
    let broker: BrokerProcess | undefined;
    await use(async (temporary) => {
      vi.stubEnv("TMPDIR", temporary);
      broker = await startBroker({ dataDir: join(folder, "data"), warmUp: "true", logLevel: "debug" });
      return broker;
    });
    vi.unstubAllEnvs();
    await broker?.kill();
  },
});

test("a broker warms up before it serves, and leaves no trace of it", async ({ folder, startIn }) => {
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  const broker = await startIn(temporary);
  const rpc = connect(broker.address);
  onTestFinished(() => rpc.close());

  expect(broker.log.map(({ msg }) => msg)).toEqual(["warmed up", "store open", "broker ready"]);
  expect(await rpc.queues.listQueues({})).toMatchObject({ queues: [] });
  expect(await readdir(temporary)).toEqual([]);
});

test("a broker that cannot warm up serves as well", async ({ folder, startIn }) => {
  const broker = await startIn(join(folder, "missing"));

  const messages = broker.log.map(({ msg }) => msg);
  expect(messages).toEqual(["no warm-up: the first tasks will take longer", "store open", "broker ready"]);
});

test("a broker that is stopped while it warms up leaves no trace of it, either", async ({ folder }) => {
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  const flags = ["--data-dir", join(folder, "data"), "--grpc-listen", "127.0.0.1:0"];
  const broker = startProgram(["server/dist/main.js", ...flags], { env: { ...process.env, TMPDIR: temporary } });
  await until("it warms up", async () => (await readdir(temporary)).length > 0);

  expect(await broker.terminate(), broker.output()).toBe(0);

  expect(await readdir(temporary)).toEqual([]);
});
