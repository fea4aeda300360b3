import { randomBytes } from "node:crypto";
import { type Lease, leaseToken, type Outcome, parseLeaseToken, type Settlement } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  claimOne,
  counters,
  discard,
  type Held,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settle,
  settleAll,
  snooze,
  WORKER,
} from "../tasks.ts";

const OUTCOMES: readonly Outcome[] = [ack("result"), retry(), bury(), discard(), release(), snooze(), lose()];

export function settleSuite(test: StoreTest, backend: Backend): void {
  describe("settle", () => {
    test("answers each settlement, in order, and each counts for itself", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(10));
      const held = await claimAll(store);
      const settlements = held.map(({ lease, index }, i): Settlement => {
        return { lease: i % 3 === 0 ? { ...lease, sequence: lease.sequence + 1_000 } : lease, index, outcome: ack() };
      });

      const answers = await store.settle(QUEUE, settlements);

      expect(answers).toEqual(held.map((_, i) => (i % 3 === 0 ? "stale" : "settled")));
      expect(await counters(store)).toMatchObject({ completed: 6, active: 4 });
    });

    test("takes every kind of outcome in one call", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(OUTCOMES.length * 3));
      const held = await claimAll(store);

      const answers = await store.settle(
        QUEUE,
        held.map(({ lease, index }, i) => ({ lease, index, outcome: OUTCOMES[i % OUTCOMES.length] ?? ack() })),
      );

      expect(new Set(answers)).toEqual(new Set(["settled"]));
      await store.promote(QUEUE, 100);
      const states = await Promise.all(held.map(({ key }) => store.find(QUEUE, key)));
      const kinds = ["completed", "ready", "dead", "cancelled", "ready", "ready", "ready"];
      expect(states.map((task) => task?.state)).toEqual(held.map((_, i) => kinds[i % kinds.length]));
    });

    test("takes a block's tasks back in any order and any portions", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(128));
      const held = await claimAll(store);
      const shuffled = held.map((one, i) => ({ one, place: (i * 37) % 128 })).sort((a, b) => a.place - b.place);

      for (let at = 0, size = 1; at < shuffled.length; at += size, size = (size % 11) + 1) {
        const portion = shuffled.slice(at, at + size).map(({ one }) => one);
        expect(new Set(await settleAll(store, portion, ack()))).toEqual(new Set(["settled"]));
        expect(await counters(store)).toMatchObject({ completed: Math.min(at + size, 128), ready: 0 });
      }

      expect(await counters(store)).toMatchObject({ completed: 128, active: 0 });
      for (const { key } of held) expect((await store.find(QUEUE, key))?.state).toBe("completed");
      expect(await claim(store)).toEqual([]);
    });

    test("takes settlements of several blocks, leases and calls of one tick together", async ({ store }) => {
      for (let i = 0; i < 5; i++) await store.enqueue(QUEUE, newTasks(60, `batch ${i}`));
      const held = await claimAll(store, { maxTasks: 25 });
      const evens = held.filter((_, i) => i % 2 === 0);
      const odds = held.filter((_, i) => i % 2 === 1);

      const answers = await Promise.all([
        settleAll(store, evens, ack()),
        settleAll(store, odds.reverse(), ack("result")),
      ]);

      expect(new Set(answers.flat())).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ completed: 300, active: 0 });
    });

    test("keeps the result of each task, its duration and its worker", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(20));
      const held = await claimAll(store);
      const outcomeOf = (i: number): Outcome => ({
        kind: "ack",
        result: i % 2 === 0 ? Buffer.from(`result ${i}`) : undefined,
        durationMs: 100 + i,
        workerId: i < 10 ? WORKER : `host-${i}`,
      });
      const before = await store.now();

      await store.settle(
        QUEUE,
        held.map(({ lease, index }, i) => ({ lease, index, outcome: outcomeOf(i) })),
      );

      for (const [i, { key }] of held.entries()) {
        const result = (await store.find(QUEUE, key))?.lastResult;
        expect(result).toMatchObject({
          success: true,
          failure: undefined,
          durationMs: 100 + i,
          workerId: i < 10 ? WORKER : `host-${i}`,
        });
        expect(result?.result?.toString()).toBe(i % 2 === 0 ? `result ${i}` : undefined);
        expect(result?.endedAtMs).toBeGreaterThanOrEqual(before);
      }
    });

    test("keeps results of any bytes: none, one, and a megabyte", async ({ store }) => {
      const results = [Buffer.alloc(0), Buffer.from([0xff]), randomBytes(1024 * 1024)];
      await store.enqueue(QUEUE, newTasks(results.length));
      const held = await claimAll(store);

      await store.settle(
        QUEUE,
        held.map(({ lease, index }, i) => ({ lease, index, outcome: ack(results[i]) })),
      );

      for (const [i, { key }] of held.entries()) {
        const found = (await store.find(QUEUE, key))?.lastResult?.result;
        expect(found && Buffer.from(found).equals(results[i] ?? Buffer.from("other")), `result ${i}`).toBe(true);
      }
    });
  });

  describe("a lease that is not current", () => {
    const wrong: readonly (readonly [string, (held: Held) => Settlement])[] = [
      ["another broker's", (held) => settlementOf(held, { broker: "0000000000000Z" })],
      ["another sequence", (held) => settlementOf(held, { sequence: held.lease.sequence + 1 })],
      ["another attempt", (held) => settlementOf(held, { attempt: held.lease.attempt + 1 })],
      ["an index outside of it", (held) => ({ ...settlementOf(held, {}), index: held.index + 1 })],
      ["the form of another kind of task", (held) => settlementOf(held, { alone: !held.lease.alone })],
    ];

    describe.for([
      ["plain", newTask("the task")],
      ["alone", newTask("the task", { priority: 1 })],
    ] as const)("of a task that is %s", ([, task]) => {
      test.for(wrong)("(%s) settles nothing", async ([, spoil], { store }) => {
        const held = await leaseOne(store, task);

        for (const outcome of OUTCOMES) {
          expect(await store.settle(QUEUE, [{ ...spoil(held), outcome }]), outcome.kind).toEqual(["stale"]);
          expect(await store.find(QUEUE, held.key), outcome.kind).toMatchObject({
            state: "active",
            attempt: 1,
            lostCount: 0,
          });
        }

        expect(await store.findLeased(spoil(held).lease, spoil(held).index)).toBeUndefined();
        expect(await settle(store, held, ack())).toBe("settled");
      });
    });

    test("because the task does not exist, settles nothing", async ({ store }) => {
      const held = await leaseOne(store);

      expect(
        await store.settle("unheard-of", [{ lease: { ...held.lease, queue: "unheard-of" }, index: 0, outcome: ack() }]),
      ).toEqual(["stale"]);
      expect(
        await store.settle(QUEUE, [
          settlementOf(held, { block: held.lease.block.replace(/.$/, (letter) => (letter === "Z" ? "Y" : "Z")) }),
        ]),
      ).toEqual(["stale"]);
    });

    test.for(["release", "lose", "retry", "snooze"] as const)(
      "after %s and the next claim, settles nothing",
      async (kind, { store }) => {
        const held = await leaseOne(store);
        await settle(store, held, outcomeOf(kind));
        const again = await claimOne(store);
        expect(again.key).toBe(held.key);

        for (const outcome of OUTCOMES) expect(await settle(store, held, outcome), outcome.kind).toBe("stale");

        expect((await store.find(QUEUE, held.key))?.state).toBe("active");
        expect(await settle(store, again, ack())).toBe("settled");
        expect(await settle(store, held, ack())).toBe("stale");
      },
    );

    test.for(["ack", "discard", "bury"] as const)(
      "after %s settles nothing in another way",
      async (kind, { store }) => {
        const held = await leaseOne(store);
        await settle(store, held, outcomeOf(kind));
        const before = await store.find(QUEUE, held.key);

        for (const outcome of OUTCOMES.filter((other) => other.kind !== kind)) {
          expect(await settle(store, held, outcome), outcome.kind).toBe("stale");
        }

        expect(await store.find(QUEUE, held.key)).toEqual(before);
        expect(await claim(store)).toEqual([]);
      },
    );

    test("for one task of a block leaves the rest of the block current", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(5));
      const held = await claimAll(store);
      const [first, ...others] = held;
      if (first) await settle(store, first, ack());

      expect(new Set(await settleAll(store, others, ack()))).toEqual(new Set(["settled"]));
    });
  });

  describe("the same settlement again", () => {
    describe.for([
      ["plain", newTask("the task")],
      ["alone", newTask("the task", { priority: 1 })],
    ] as const)("of a task that is %s", ([, task]) => {
      test.for(["ack", "discard"] as const)("(%s) counts once, and is settled both times", async (kind, { store }) => {
        const held = await leaseOne(store, task);

        expect(await settle(store, held, outcomeOf(kind))).toBe("settled");
        const before = { task: await store.find(QUEUE, held.key), counters: await counters(store) };
        expect(await settle(store, held, outcomeOf(kind))).toBe("settled");

        expect({ task: await store.find(QUEUE, held.key), counters: await counters(store) }).toEqual(before);
      });

      test.for(["retry", "bury", "release", "snooze", "lose"] as const)("(%s) counts once", async (kind, { store }) => {
        const held = await leaseOne(store, task);

        expect(await settle(store, held, outcomeOf(kind))).toBe("settled");
        await store.promote(QUEUE, 10);
        const before = { task: await store.find(QUEUE, held.key), counters: await counters(store) };
        await settle(store, held, outcomeOf(kind));

        await store.promote(QUEUE, 10);
        expect({ task: await store.find(QUEUE, held.key), counters: await counters(store) }).toEqual(before);
        expect(await claimAll(store)).toHaveLength(kind === "bury" ? 0 : 1);
      });
    });

    test("within one call counts once", async ({ store }) => {
      const { lease, index } = await leaseOne(store);

      const answers = await store.settle(QUEUE, [
        { lease, index, outcome: ack("first") },
        { lease, index, outcome: ack("second") },
        { lease, index, outcome: release() },
      ]);

      expect(answers).toEqual(["settled", "settled", "stale"]);
      expect(await counters(store)).toMatchObject({ completed: 1, active: 0, ready: 0 });
    });

    test("of a whole block counts once", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(128));
      const held = await claimAll(store);

      const [first, second] = await Promise.all([settleAll(store, held, ack()), settleAll(store, held, ack())]);

      expect(new Set([...first, ...second])).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ completed: 128, active: 0 });
    });
  });

  describe("a lease token", () => {
    test("settles as the lease does that it names", async ({ store }) => {
      await store.enqueue(QUEUE, [...newTasks(3), newTask("urgent", { priority: 1 })]);

      for (const held of await claimAll(store)) {
        const parsed = parseLeaseToken(leaseToken(held.lease, held.index));
        const queue = parsed && (await store.queueByTag(parsed.tag));
        expect(queue).toBe(QUEUE);
        if (!parsed || !queue) return;
        expect(
          await store.settle(queue, [{ lease: { ...parsed.lease, queue }, index: parsed.index, outcome: ack() }]),
        ).toEqual(["settled"]);
      }

      expect(await counters(store)).toMatchObject({ completed: 4, active: 0 });
    });

    test("tells what it is about until it is settled", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("plain"), newTask("with options", { hasOptions: true, priority: -1 })]);
      const [plain, optional] = await claimAll(store);
      if (!plain || !optional) throw new Error("two tasks expected");

      const leased = await store.findLeased(plain.lease, plain.index);
      expect(leased && Buffer.from(leased.body).toString()).toBe("plain");
      expect(leased).toMatchObject({ attempt: 1, lostCount: 0, hasOptions: false });
      expect(await store.findLeased(optional.lease, optional.index)).toMatchObject({ attempt: 1, hasOptions: true });

      await settle(store, plain, ack());
      await settle(store, optional, release());
      expect(await store.findLeased(plain.lease, plain.index)).toBeUndefined();
      expect(await store.findLeased(optional.lease, optional.index)).toBeUndefined();
    });
  });

  if (!backend.capabilities.shared) return;
  test("any broker settles and reads what another leased", async ({ opened }) => {
    await opened.store.enqueue(QUEUE, [...newTasks(200), newTask("urgent", { priority: 1 })]);
    const held = await claimAll(opened.store);
    const { store: other } = await opened.second();

    const [first] = held;
    expect(first && (await other.findLeased(first.lease, first.index))).toMatchObject({ attempt: 1 });
    expect(new Set(await settleAll(other, held, ack()))).toEqual(new Set(["settled"]));
    expect(new Set(await settleAll(opened.store, held, release()))).toEqual(new Set(["stale"]));
    expect(await counters(opened.store)).toMatchObject({ completed: 201, active: 0, ready: 0 });
  });
}

function settlementOf({ lease, index }: Held, changes: Partial<Lease>): Settlement {
  return { lease: { ...lease, ...changes }, index, outcome: ack() };
}

function outcomeOf(kind: Outcome["kind"]): Outcome {
  const outcome = OUTCOMES.find((other) => other.kind === kind);
  if (!outcome) throw new Error(`no such outcome: ${kind}`);
  return outcome;
}
