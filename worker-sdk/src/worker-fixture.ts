/** What the tests of a worker start with. */
import { once } from "node:events";
import { createServer } from "node:net";
import { pino } from "pino";
import { afterEach } from "vitest";
import { FakeBroker, type FakeBrokerOptions, LogLines } from "./fake-broker.ts";
import type { WorkerOptions } from "./options.ts";
import { Worker } from "./worker.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A broker that is stopped after the test. */
export async function startBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const broker = await new FakeBroker(options).start();
  cleanups.push(() => broker.stop());
  return broker;
}

/** A worker that logs to `logs` and is stopped after the test. */
export function makeWorker(
  brokers: FakeBroker | readonly (FakeBroker | string)[],
  options: WorkerOptions = {},
): { worker: Worker; logs: LogLines } {
  const logs = new LogLines();
  const addresses = [brokers].flat().map((broker) => (typeof broker === "string" ? broker : broker.address));
  const logger = pino({ level: "debug" }, logs);
  const worker = new Worker({ address: addresses, signals: false, shutdownMs: 200, logger, ...options });
  cleanups.push(() => worker.stop());
  return { worker, logs };
}

/** A promise and the function that resolves it. */
export function gate<Value = void>(): { opened: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => {};
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export function json(value: unknown): { payload: Uint8Array; contentType: string } {
  return { payload: Buffer.from(JSON.stringify(value)), contentType: "application/json" };
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
