/** What a random walk may do, and how often. */
import { callerKey, type NewTask, type Outcome, type QueuePolicy, type TaskState } from "@taskwire/server/testing";
import fc from "fast-check";
import { bury, discard, FAR_MS, lose, release, retry, snooze, typedBody, WORKER } from "./tasks.ts";
import type { Pick, Walk } from "./walk.ts";
import type { Filter } from "./walk-lists.ts";

/** Something to do in a walk, printed as it was called. */
export interface Step {
  run(walk: Walk): Promise<void>;
  toString(): string;
}

function stepOf<Arguments extends unknown[]>(
  verb: string,
  given: { [I in keyof Arguments]: fc.Arbitrary<Arguments[I]> },
  act: (walk: Walk, ...args: Arguments) => Promise<void>,
): fc.Arbitrary<Step> {
  return fc.tuple<Arguments>(...given).map((args) => ({
    run: async (walk) => {
      await act(walk, ...args);
      walk.follow();
    },
    toString: () => `${verb}(${fc.stringify(args)})`,
  }));
}

const by = fc.nat({ max: 1 });
const nth = fc.nat({ max: 999 });
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
const delayMs = fc.constantFrom(0, 0, 15, FAR_MS);

const typed = fc
  .tuple(mostly("email", "sms"), fc.uint8Array({ maxLength: 40 }))
  .map(([type, payload]) => ({ type, body: typedBody(type, payload) }));
const options = fc.record({
  key: mostly(undefined, ...["a", "b", "c", "d"].map(callerKey)),
  priority: mostly(0, 1, 5, -3),
  delayMs: mostly(0, 15, FAR_MS),
  runAtMs: fc.constant(0),
  hasOptions: mostly(false, true),
});
const newTask: fc.Arbitrary<NewTask> = fc.tuple(typed, options).map(([body, rest]) => ({ ...body, ...rest }));
const block = fc.integer({ min: 100, max: 300 }).map((count): NewTask[] => {
  const plain = { type: "email", key: undefined, priority: 0, delayMs: 0, runAtMs: 0, hasOptions: false };
  return Array.from({ length: count }, (_, i) => ({ ...plain, body: typedBody("email", Buffer.from(`block ${i}`)) }));
});
const tasks = fc.oneof(
  { weight: 6, arbitrary: fc.array(newTask, { minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: block },
);

const ackWithResult = fc.record({
  kind: fc.constant("ack" as const),
  result: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }).map((bytes) => bytes && Buffer.from(bytes)),
  durationMs: fc.nat({ max: 100_000 }),
  workerId: mostly(WORKER, "another-1"),
});
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 3, arbitrary: ackWithResult },
  { weight: 1, arbitrary: delayMs.map(retry) },
  { weight: 1, arbitrary: delayMs.map(snooze) },
  { weight: 1, arbitrary: fc.constantFrom(bury(), bury("no such user: 17"), bury("no such user: 18"), discard()) },
  { weight: 2, arbitrary: fc.constantFrom(release(), lose(0), lose(1)) },
);
const pick: fc.Arbitrary<Pick> = fc.record({
  nth,
  from: mostly<Pick["from"]>("active", "all"),
  forged: mostly<Pick["forged"]>({}, { attempt: 99 }, { sequence: 4_000_000 }, { broker: "0000000000000Z" }),
  outcome,
});

const state = fc.constantFrom<TaskState>("scheduled", "ready", "active", "completed", "dead", "cancelled");
const limit = fc.constantFrom(3, 20, 500);
const filter = mostly<Filter>({}, { type: "email" }, { type: "sms" }, { group: 0 }, { group: 1 });
const change = fc.constantFrom<Partial<QueuePolicy>>(
  { paused: true },
  { paused: false },
  { paused: false },
  // So slow that nothing is given back within a walk.
  { enqueueRate: { perSecond: 0.001, burst: 20 } },
  { enqueueRate: undefined },
  { paused: false, enqueueRate: undefined },
);

/** What operators do. */
const steering: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: stepOf("cancel", [by, nth], (walk, ...args) => walk.cancel(...args)) },
  {
    weight: 3,
    arbitrary: stepOf(
      "moveDead",
      [by, mostly<"revive" | "deleteDead">("revive", "deleteDead"), fc.array(nth, { minLength: 1, maxLength: 6 })],
      (walk, ...args) => walk.moveDead(...args),
    ),
  },
  { weight: 2, arbitrary: stepOf("list", [by, state, limit, filter], (walk, ...args) => walk.list(...args)) },
  { weight: 4, arbitrary: stepOf("turnPage", [by, state, limit], (walk, ...args) => walk.turnPage(...args)) },
  { weight: 1, arbitrary: stepOf("failureGroups", [by], (walk, ...args) => walk.failureGroups(...args)) },
  { weight: 2, arbitrary: stepOf("steer", [by, change], (walk, ...args) => walk.steer(...args)) },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: stepOf("enqueue", [by, tasks, mostly("00ff00ff00ff00ff", "00ff00ff00ff00fe")], (walk, ...args) =>
      walk.enqueue(...args),
    ),
  },
  { weight: 1, arbitrary: stepOf("replay", [by, nth], (walk, ...args) => walk.replay(...args)) },
  {
    weight: 5,
    arbitrary: stepOf(
      "claim",
      [by, fc.integer({ min: 1, max: 200 }), mostly(10_000_000, 1, 30, 100)],
      (walk, ...args) => walk.claim(...args),
    ),
  },
  {
    weight: 6,
    arbitrary: stepOf("settle", [by, fc.array(pick, { minLength: 1, maxLength: 30 })], (walk, ...args) =>
      walk.settle(...args),
    ),
  },
  { weight: 1, arbitrary: stepOf("settleAll", [by, outcome], (walk, ...args) => walk.settleAll(...args)) },
  { weight: 1, arbitrary: stepOf("promote", [by], (walk, ...args) => walk.promote(...args)) },
  { weight: 2, arbitrary: stepOf("find", [by, nth], (walk, ...args) => walk.find(...args)) },
  { weight: 2, arbitrary: stepOf("stats", [by], (walk, ...args) => walk.stats(...args)) },
  { weight: 9, arbitrary: steering },
);
