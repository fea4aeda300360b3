/** The fixtures of the broker tests: a broker on a store of its own, and connections to it. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type BrokerProcess, type BrokerSettings, startBroker } from "../support/broker.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { connect, type Rpc } from "../support/rpc.ts";
import { WireSession } from "../support/session.ts";

export interface BrokerFixtures {
  readonly broker: BrokerProcess;
  readonly connected: Connections;
  readonly rpc: Rpc;
  /** A queue that no other test uses. */
  readonly queue: string;
  /** Opens a stream that says Hello; the default window has room for 10. */
  readonly subscribe: Subscribe;
  /** Starts another broker with other settings: on the same store if it is Redis, otherwise on a store of its own. */
  readonly startOther: (settings?: BrokerSettings) => Promise<BrokerProcess>;
  /** Connections to another broker; closed after the test. */
  readonly connectTo: (broker: BrokerProcess) => Connections;
}

interface Connections {
  readonly rpc: Rpc;
  readonly subscribe: Subscribe;
}

type Subscribe = (hello?: Parameters<WireSession["hello"]>[0]) => WireSession;

export type BrokerTest = ReturnType<typeof brokerTest>;

const STORES = ["embedded", "redis"] as const;

/** Runs the tests on a broker with each store. The broker is shared: a test must leave it as it was. */
export function onEachStore(define: (test: BrokerTest) => void): void {
  describe.each(STORES)("on the %s store", (kind) => define(brokerTest(kind)));
}

/** Runs the tests on one store. */
export function onStore(kind: (typeof STORES)[number], define: (test: BrokerTest) => void): void {
  describe(`on the ${kind} store`, () => define(brokerTest(kind)));
}

function brokerTest(kind: (typeof STORES)[number]) {
  const cleanups: (() => Promise<unknown>)[] = [];
  let settings: (own: "shared" | "own") => Promise<BrokerSettings>;
  let shared: BrokerProcess;

  beforeAll(async () => {
    settings = kind === "redis" ? await redisSettings(cleanups) : embeddedSettings(cleanups);
    shared = await startBroker(await settings("shared"));
    cleanups.push(() => shared.kill());
  });
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  return test.extend<BrokerFixtures>({
    broker: async ({}, use) => use(shared),
    queue: async ({}, use) => use(`q-${randomBytes(6).toString("hex")}`),
    connectTo: async ({ queue }, use) => {
      const closers: (() => void)[] = [];
      await use(({ address }) => {
        const rpc = connect(address);
        closers.push(() => rpc.close());
        const subscribe: Subscribe = (hello = {}) => {
          const session = new WireSession(rpc.connection);
          closers.push(() => session.cut());
          session.hello({ ...helloTo(queue), ...hello });
          return session;
        };
        return { rpc, subscribe };
      });
      for (const close of closers.reverse()) close();
    },
    connected: async ({ connectTo, broker }, use) => use(connectTo(broker)),
    rpc: async ({ connected }, use) => use(connected.rpc),
    subscribe: async ({ connected }, use) => use(connected.subscribe),
    startOther: async ({}, use) => {
      const brokers: BrokerProcess[] = [];
      await use(async (overrides = {}) => {
        const broker = await startBroker({ ...(await settings("own")), ...overrides });
        brokers.push(broker);
        return broker;
      });
      await Promise.all(brokers.map((broker) => broker.kill()));
    },
  });
}

/** What a worker says of itself when nothing about that matters. */
export function helloTo(queue: string, maxInFlight = 10) {
  return { workerId: `w-${randomBytes(4).toString("hex")}`, queues: [{ queue }], window: { maxInFlight } };
}

async function redisSettings(cleanups: (() => Promise<unknown>)[]) {
  const redis: RedisServer = await startRedis();
  cleanups.push(() => redis.destroy());
  return async () => ({ store: "redis", redisUrl: redis.url });
}

function embeddedSettings(cleanups: (() => Promise<unknown>)[]) {
  return async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "taskwire-broker-"));
    cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
    return { store: "embedded", dataDir };
  };
}
