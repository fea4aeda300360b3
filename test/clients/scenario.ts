/**
 * What a client in any language must be able to do, as steps with what is to come of them. Each step is played by the driver
 * of each language, as real processes with a real broker; docs/writing-workers.md has the rule behind each.
 */
import { expect } from "vitest";
import { onRedis } from "../faults/fault-test.ts";
import { freePort } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { HOW } from "./driver.ts";
import { LANGUAGES } from "./languages.ts";
import type { World } from "./world.ts";

export interface Step {
  readonly title: string;
  /** Two brokers need a store that they share. */
  readonly needsRedis?: boolean;
  readonly play: (world: World) => Promise<void>;
}

const hex = (text: string) => Buffer.from(text).toString("hex");
const HELD = { state: "completed", attempt: 1, result: hex("held"), error: "" };

const PAYLOADS = [
  "",
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("hex"),
  Buffer.alloc(100_000, 0xff).toString("hex"),
];

export const SCENARIO: readonly Step[] = [
  {
    title: "a worker gets the bytes that any producer sent in any way, and the producer gets those of the result",
    play: async (world) => {
      await world.startWorker();
      for (const language of LANGUAGES.filter(({ missing }) => missing === undefined)) {
        const producer = world.producer(language);
        for (const how of HOW) {
          const task = { how, type: "echo", queue: world.queue, payloads: PAYLOADS, maxRetries: 0, timeoutMs: 5_000 };
          const ids = await producer.enqueue(task);
          const ends = await Promise.all(ids.map((id) => producer.end(id)));
          expect(
            ends.map(({ result }) => result),
            `${language.name}, ${how}`,
          ).toEqual(PAYLOADS);
        }
      }
    },
  },
  {
    title: "5,000 tasks over a stream keep their order, and all of them end",
    play: async (world) => {
      const payloads = Array.from({ length: 5_000 }, (_, index) => index.toString(16).padStart(4, "0"));
      await world.startWorker({ concurrency: 50 });

      const ids = await world.enqueue("echo", { how: "stream", payloads });
      const last = await world.end(ids.at(-1) ?? "");

      expect(new Set(ids).size).toBe(5_000);
      expect(last.result).toBe(payloads.at(-1));
      await expect.poll(async () => (await world.counters()).completed, { timeout: 10_000 }).toBe(5_000);
    },
  },
  {
    title:
      "an attempt that fails is followed by another, after the worker's delay or by the policy, until one succeeds",
    play: async (world) => {
      await world.startWorker();

      expect(await world.outcome("third-time")).toEqual({
        state: "completed",
        attempt: 3,
        result: hex("the third time"),
        error: "",
      });
      expect(await world.counters()).toMatchObject({ dequeued: 3, failed: 2, retried: 2, completed: 1 });
    },
  },
  {
    title: "a dead letter is dead, what is discarded is cancelled, and so are no retries left for an unknown type",
    play: async (world) => {
      await world.startWorker();

      expect(await world.outcome("bury")).toMatchObject({ state: "dead", attempt: 1, error: "no good" });
      expect(await world.outcome("discard")).toMatchObject({ state: "cancelled", attempt: 1, error: "not worth it" });
      expect(await world.outcome("unheard-of", { maxRetries: 0 })).toMatchObject({
        state: "dead",
        error: "no handler registered for task type: unheard-of",
      });
    },
  },
  {
    title: "what is given back comes again, and no attempt is spent",
    play: async (world) => {
      await world.startWorker();

      expect(await world.outcome("not-now")).toMatchObject({ state: "completed", attempt: 1, result: hex("1") });
      expect(await world.counters()).toMatchObject({ dequeued: 2, failed: 0, lost: 0 });
    },
  },
  {
    title: "results travel in frames that the broker takes, and one that is too large fails its attempt alone",
    play: async (world) => {
      const worker = await world.startWorker({ concurrency: 12 });

      const ids = await world.enqueue("large", { how: "batch", payloads: Array.from({ length: 12 }, () => "") });
      const ends = await Promise.all(ids.map((id) => world.end(id)));
      const tooLarge = await world.outcome("too-large", { maxRetries: 0 });

      expect(ends.map(({ result }) => result.length / 2)).toEqual(ids.map(() => 900_000));
      expect(tooLarge.state).toBe("dead");
      expect(tooLarge.error).toMatch(/the result has 1100000 bytes/);
      expect(worker.connections()).toBe(1);
    },
  },
  {
    title: "a task that takes longer than its timeout is cancelled, and the worker gets others",
    play: async (world) => {
      const worker = await world.startWorker({ concurrency: 1 });

      const ended = await world.outcome("hold", { timeoutMs: 150, maxRetries: 0 });

      expect(ended).toMatchObject({ state: "dead", error: expect.stringContaining("timed out after") });
      await worker.untilSaid(/^cancelled /);
      expect(await world.outcome("echo")).toMatchObject({ state: "completed" });
    },
  },
  {
    title: "a task that is extended may take longer than its timeout",
    play: async (world) => {
      const worker = await world.startWorker();
      const [long = ""] = await world.enqueue("extend", { timeoutMs: 300 });
      await worker.untilStarted(1);

      // Its timeout is over when that of this later one is.
      await world.outcome("hold", { timeoutMs: 400, maxRetries: 0 });
      worker.letGo();

      expect(await world.end(long)).toMatchObject({
        state: "completed",
        attempt: 1,
        result: hex("extended"),
      });
    },
  },
  {
    title: "a stream that is cut before the ack gives its task to another worker, and the late ack is stale",
    play: async (world) => {
      const proxy = await world.startProxy();
      const first = await world.startWorker({ addresses: [proxy.address], concurrency: 1 });
      const [taskId = ""] = await world.enqueue("hold");
      await first.untilStarted(1);
      const second = await world.startWorker();

      proxy.cut();
      await second.untilStarted(1);
      await first.untilConnected(2);
      first.letGo();
      await first.untilSaid(/stale/i);
      await world.untilState(taskId, "ACTIVE");
      second.letGo();

      expect(await world.end(taskId)).toEqual(HELD);
      expect(second.started()).toEqual([taskId]);
      expect(await world.counters()).toMatchObject({ dequeued: 2, completed: 1, failed: 0, lost: 1 });
    },
  },
  {
    title: "a handler that outlives its stream is settled by token, and its worker does not get the task again",
    play: async (world) => {
      const proxy = await world.startProxy();
      const worker = await world.startWorker({ addresses: [proxy.address], concurrency: 1 });
      const [taskId = ""] = await world.enqueue("hold");
      await worker.untilStarted(1);

      proxy.cut();
      await worker.untilConnected(2);
      await world.untilState(taskId, "READY");
      worker.letGo();

      expect(await world.end(taskId)).toEqual(HELD);
      expect(await world.counters()).toMatchObject({ dequeued: 1, completed: 1, failed: 0, lost: 1 });
      expect(await world.outcome("echo")).toMatchObject({ state: "completed" });
    },
  },
  {
    title: "an ack that is lost on its way is sent again by token, and counts once",
    play: async (world) => {
      const proxy = await world.startProxy();
      const worker = await world.startWorker({ addresses: [proxy.address] });
      const [taskId = ""] = await world.enqueue("hold");
      await worker.untilStarted(1);

      proxy.hold("to broker");
      worker.letGo();
      await worker.untilSaid(/^ending /);
      proxy.cut();

      expect(await world.end(taskId)).toEqual(HELD);
      await worker.untilConnected(2);
      expect(await world.outcome("echo")).toMatchObject({ state: "completed" });
      expect(await world.counters()).toMatchObject({ dequeued: 2, completed: 2, lost: 1 });
    },
  },
  {
    title: "a broker that falls silent is left: frames are the sign of life, not the connection",
    play: async (world) => {
      const proxy = await world.startProxy();
      const worker = await world.startWorker({ addresses: [proxy.address], sessionTimeout: 1 });

      proxy.hold("from broker");
      await worker.untilConnected(2);

      expect(await world.outcome("echo")).toMatchObject({ state: "completed" });
    },
  },
  {
    title: "a worker that has nothing to do is not given up",
    play: async (world) => {
      const worker = await world.startWorker({ sessionTimeout: 1 });
      const [taskId = ""] = await world.enqueue("hold");
      await worker.untilStarted(1);

      // Longer than the session timeout, by a clock that the worker does not see.
      await expect(world.outcome("hold", { timeoutMs: 1_700, maxRetries: 0 })).resolves.toMatchObject({
        state: "dead",
      });
      worker.letGo();

      expect(await world.end(taskId)).toEqual(HELD);
      expect(worker.connections()).toBe(1);
    },
  },
  {
    title: "a broker that drains is left for another first, and what it gave is settled with it",
    needsRedis: true,
    play: async (world) => {
      const redis = await world.startRedis();
      const [leaving, staying] = await Promise.all([
        world.startBroker(onRedis(redis)),
        world.startBroker(onRedis(redis)),
      ]);
      const worker = await world.startWorker({ addresses: [leaving.address, staying.address] });
      const [held = ""] = await world.enqueue("hold", { address: leaving.address });
      await worker.untilStarted(1);

      leaving.beginToStop();
      await worker.untilConnected(2);
      expect(leaving.isRunning()).toBe(true);
      const [other = ""] = await world.enqueue("hold", { address: staying.address });
      await worker.untilStarted(2);
      worker.letGo();

      expect(await world.end(held, staying.address)).toEqual(HELD);
      expect(await world.end(other, staying.address)).toEqual(HELD);
      await until("the broker has left", () => !leaving.isRunning());
      expect(await world.counters(staying.address)).toMatchObject({ dequeued: 2, completed: 2, failed: 0, lost: 0 });
    },
  },
  {
    title: "a broker that is restarted finds its worker again",
    play: async (world) => {
      const port = await freePort();
      const settings = { grpcListen: `127.0.0.1:${port}`, drainMs: 5_000 };
      const first = await world.startBroker(settings);
      const worker = await world.startWorker({ addresses: [first.address] });

      expect(await first.terminate()).toBe(0);
      const again = await world.startBroker(settings);
      await worker.untilConnected(2);
      const [taskId = ""] = await world.enqueue("echo", { payloads: ["00ff"], address: again.address });

      expect(await world.end(taskId, again.address)).toMatchObject({ result: "00ff" });
    },
  },
  {
    title: "a worker that is told to stop finishes what it can, gives the rest back, and leaves",
    play: async (world) => {
      const worker = await world.startWorker({ concurrency: 1, shutdown: 0.2 });
      const [taskId = "", waiting = ""] = await world.enqueue("hold", { payloads: ["", ""] });
      await worker.untilStarted(1);

      expect(await worker.terminate()).toBe(0);

      await worker.untilSaid(/^cancelled /);
      await worker.untilSaid(/^left$/);
      await world.untilState(taskId, "READY");
      expect(await world.counters()).toMatchObject({ dequeued: 1, ready: 2, failed: 0, lost: 0 });
      const next = await world.startWorker({ concurrency: 1 });
      await next.untilStarted(1);
      expect(next.started()).toEqual([taskId]);
      next.beginToStop();
      next.letGo();
      expect(await world.end(taskId)).toEqual(HELD);
      await next.untilSaid(/^left$/);
      await world.untilState(waiting, "READY");
    },
  },
];
