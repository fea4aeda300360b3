/** An embedded broker that is killed while it is steered keeps all that it answered, and changes nothing else. */
import { EnqueueRequest, TaskState } from "@taskwire/proto";
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until, untilWorks } from "../support/until.ts";
import { buryAll } from "./dead-tasks.ts";
import { faultTest as test } from "./fault-test.ts";
import { Ledger } from "./ledger.ts";

const KILLS = 4;
/** Of each sort. */
const TASKS = 250;
const IN_FLIGHT = 10;
/** Answers between two kills. */
const ANSWERS = 120;

test("an embedded broker that is killed amid steering keeps what it answered, and nothing else is changed", async ({
  queue,
  newStore,
  startBroker,
  connectTo,
}) => {
  const settings = await newStore("embedded");
  let broker = await startBroker(settings);
  const rpc = connectTo(broker);
  const ledger = new Ledger(rpc, queue);
  const dead = await enqueue(rpc, queue, 2 * TASKS, {});
  await buryAll(rpc, queue, dead.length);
  ledger.add(dead.slice(0, TASKS), "revive", TaskState.DEAD);
  ledger.add(dead.slice(TASKS), "delete", TaskState.DEAD);
  ledger.add(await enqueue(rpc, queue, TASKS, {}), "cancel", TaskState.READY);
  ledger.add(await enqueue(rpc, queue, TASKS, { priority: 1 }), "cancel", TaskState.READY);
  const later = { $case: "delay", value: { seconds: 3_600 } } as const;
  ledger.add(await enqueue(rpc, queue, TASKS, { schedule: later }), "cancel", TaskState.SCHEDULED);
  await ledger.check();

  for (let kill = 1; kill <= KILLS; kill++) {
    const before = ledger.answered;
    const steering = steerUntilCutOff(ledger);
    await until("enough is answered", () => ledger.answered >= before + ANSWERS, { everyMs: 1 });
    await broker.kill();
    await steering;
    broker = await startBroker({ ...settings, grpcListen: broker.address });
    await untilWorks("it answers again", () => rpc.queues.getQueue({ queue }));
    await ledger.check();
    expect(broker.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  }
});

/** Adds tasks; resolves with their ids. */
async function enqueue(
  rpc: Rpc,
  queue: string,
  count: number,
  extra: Pick<Parameters<typeof EnqueueRequest.fromPartial>[0] & object, "priority" | "schedule">,
): Promise<string[]> {
  const request = EnqueueRequest.fromPartial({ type: "work", queue, ...extra });
  const { tasks } = await rpc.tasks.enqueueBatch({ tasks: Array.from({ length: count }, () => request) });
  return tasks.map(({ taskId }) => taskId);
}

/** Moves task after task, some at a time, while the queue is steered; resolves when the broker is gone. */
async function steerUntilCutOff(ledger: Ledger): Promise<void> {
  const ids = shuffled(ledger.untouched());
  const move = () => ledger.move(ids.pop() ?? "");
  let turn = 0;
  const steer = () =>
    ++turn % 2 === 0 ? ledger.pause(turn % 4 === 0) : ledger.limit(turn % 3 === 0 ? undefined : turn);
  await Promise.all([repeat(steer), ...Array.from({ length: IN_FLIGHT }, () => repeat(move))]);
}

async function repeat(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await call();
    } catch (error) {
      // UNAVAILABLE: the broker is gone. Nothing else may go wrong.
      expect(error).toMatchObject({ code: 14 });
      return;
    }
  }
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
