/** Several brokers that share one Redis. */
import { Nack_Action as Action, Rejection_Reason as Reason, TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import type { WireSession } from "../support/session.ts";
import { until } from "../support/until.ts";
import { helloTo, onStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

onStore("redis", (test) => {
  test("what is enqueued at one is delivered by the other at once", async ({ rpc, queue, startOther, connectTo }) => {
    const other = connectTo(await startOther());
    const session = other.subscribe({ window: { maxInFlight: 100 } });
    await session.next("welcome");
    // The first claim of the session, in vain, is over: from here on only a wake-up brings a task before the next poll.
    await session.roundTrip();
    const waits: number[] = [];

    for (let n = 1; n <= 15; n++) {
      const enqueuedAt = performance.now();
      await rpc.tasks.enqueue({ type: "email", queue });
      await session.untilDelivered(n);
      waits.push(performance.now() - enqueuedAt);
    }

    // Without wake-ups the poll of 1 s would be the way: 500 ms on average.
    expect(waits.toSorted((a, b) => a - b)[7], `median of ${waits.map(Math.round)} ms`).toBeLessThan(200);
  });

  test("a task is followed and settled through any of them", async ({
    rpc,
    queue,
    subscribe,
    startOther,
    connectTo,
  }) => {
    const other = connectTo(await startOther());
    const [first = "", second = ""] = await enqueueMany(rpc, queue, 2);
    const waiting = other.rpc.tasks.awaitTask({ taskId: first });
    const session = subscribe();
    const deliveries = await session.untilDelivered(2);

    const tokens = deliveries.map(({ leaseToken }) => leaseToken);
    const { results } = await other.rpc.workers.settleTasks({
      workerId: "w-1",
      outcomes: [
        { leaseToken: tokens[0] ?? "", result: { $case: "ack", value: {} }, duration: { seconds: 7 } },
        { leaseToken: tokens[1] ?? "", result: { $case: "nack", value: { action: Action.DEAD_LETTER } } },
      ],
    });

    expect(results.map(({ settled }) => settled)).toEqual([true, true]);
    // The other broker did not see it: the worker is believed.
    expect((await waiting).status).toMatchObject({
      state: TaskState.COMPLETED,
      lastResult: { workerId: "w-1", duration: { seconds: 7 } },
    });
    // On the stream the same ack again is success, another outcome is stale, however often it comes.
    const tags = deliveries.map(({ tag }) => tag);
    for (let times = 0; times < 2; times++) {
      const { rejections } = await session.settle({ ackTags: tags });
      expect(rejections).toMatchObject([{ tag: tags[1], reason: Reason.STALE }]);
    }
    await untilState(rpc, second, TaskState.DEAD);
  });

  test("a producer's frame that comes again at the other adds nothing", async ({
    rpc,
    queue,
    startOther,
    connectTo,
  }) => {
    const other = connectTo(await startOther());
    const frame = { sequence: 9, producerId: Buffer.from("producer"), tasks: [{ type: "email", queue }] };
    const send = async function* () {
      yield frame;
    };

    const ids: string[] = [];
    for (const client of [rpc, other.rpc]) {
      for await (const { result } of client.tasks.enqueueStream(send())) {
        if (result?.$case === "accepted") ids.push(...result.value.tasks.map(({ taskId }) => taskId));
      }
    }

    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
    expect((await rpc.queues.getQueue({ queue })).queue?.counters?.enqueued).toBe(1);
  });

  test("all workers are listed by each", async ({ rpc, subscribe, startOther, connectTo }) => {
    const other = connectTo(await startOther());
    subscribe({ workerId: "at-a" });
    other.subscribe({ workerId: "at-b" });

    for (const { stats } of [rpc, other.rpc]) {
      const workers = await until("both are listed", async () => {
        const found = (await stats.listWorkers({})).workers.filter(({ id }) => id.startsWith("at-"));
        return found.length === 2 && found;
      });
      expect(workers.map(({ id }) => id)).toEqual(["at-a", "at-b"]);
      expect(new Set(workers.map(({ brokerId }) => brokerId)).size).toBe(2);
    }
  });

  describe("40 workers that take one task at a time", () => {
    test("are all kept busy by one queue", { timeout: 60_000 }, async ({
      rpc,
      queue,
      subscribe,
      startOther,
      connectTo,
    }) => {
      const other = connectTo(await startOther());
      const workMs = 200;
      const perWorker = 12;
      await enqueueMany(rpc, queue, 40 * perWorker);

      const sessions = Array.from({ length: 40 }, (_, i) =>
        (i % 2 === 0 ? subscribe : other.subscribe)(helloTo(queue, 1)),
      );
      const done = await Promise.all(sessions.map((session) => workFor(session, { workMs, tasks: perWorker - 2 })));

      // Each did its share: nobody waited while tasks were there, wherever the worker and the task were.
      for (const { idleMs } of done) expect(idleMs, "ms without a task").toBeLessThan(workMs * perWorker);
      const idle = done.reduce((sum, { idleMs }) => sum + idleMs, 0) / done.length;
      expect(idle / (workMs * (perWorker - 2)), "share of idle time").toBeLessThan(0.5);
    });
  });
});

/** Does tasks one after the other; resolves with how long it was without one, after the first. */
async function workFor(
  session: WireSession,
  { workMs, tasks }: { workMs: number; tasks: number },
): Promise<{ idleMs: number }> {
  let idleMs = 0;
  const settling: Promise<unknown>[] = [];
  await session.untilDelivered(1, 30_000);
  for (let n = 1; n <= tasks; n++) {
    const freeAt = performance.now();
    const delivery = (await session.untilDelivered(n, 30_000))[n - 1];
    idleMs += performance.now() - freeAt;
    await new Promise((resolve) => setTimeout(resolve, workMs));
    settling.push(session.settle({ ackTags: [delivery?.tag ?? 0] }));
  }
  await Promise.all(settling);
  return { idleMs };
}
