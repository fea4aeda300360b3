/** Words to write store tests with: tasks to add, what a claim brought, and how tasks may go on. */
import {
  eachBody,
  type Failure,
  type Grant,
  type Lease,
  leasedKey,
  type NewTask,
  type Outcome,
  type QueueCounters,
  type QueuePolicy,
  type Settled,
  type Store,
  TaskwireError,
} from "@taskwire/server/testing";
import { expect } from "vitest";
import { until } from "../support/until.ts";

export const QUEUE = "emails";
export const FAR_MS = 60 * 60 * 1_000;
const PLENTY = 64 * 1024 * 1024;

export function newTask(text: string, overrides: Partial<NewTask> = {}): NewTask {
  return {
    body: Buffer.from(text),
    type: "email",
    key: undefined,
    priority: 0,
    delayMs: 0,
    runAtMs: 0,
    hasOptions: false,
    ...overrides,
  };
}

/** A task whose body is an encoded Task, with its type: lists are filtered by what the body tells. */
export function typedTask(type: string, overrides: Partial<NewTask> = {}): NewTask {
  return { ...newTask("", overrides), type, body: typedBody(type) };
}

/** An encoded Task of which only the type and the payload are set. */
export function typedBody(type: string, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const fields = [Buffer.from([TYPE_TAG, type.length]), Buffer.from(type)];
  if (payload.length > 0) fields.push(Buffer.from([PAYLOAD_TAG, payload.length]), Buffer.from(payload));
  return Buffer.concat(fields);
}

/** Fields 2 and 4 of a message, each with a length of one byte. */
const TYPE_TAG = 0x12;
const PAYLOAD_TAG = 0x22;

/** `count` plain tasks whose bodies tell their places. */
export function newTasks(count: number, name = "task"): NewTask[] {
  return Array.from({ length: count }, (_, i) => newTask(`${name} ${i}`));
}

/** One task of a grant. */
export interface Held {
  readonly lease: Lease;
  readonly index: number;
  readonly key: string;
  readonly body: Buffer;
  readonly grant: Grant;
}

export function unfold(grants: readonly Grant[]): Held[] {
  const tasks: Held[] = [];
  for (const grant of grants) {
    const { queue, broker, sequence, block, alone, attempt } = grant;
    const lease: Lease = { queue, broker, sequence, block, alone, attempt };
    let index = grant.first;
    eachBody(grant.bodies, (start, end) => {
      const body = Buffer.from(grant.bodies.subarray(start, end));
      tasks.push({ lease, index, key: leasedKey(lease, index), body, grant });
      index++;
    });
    expect(index - grant.first, "as many bodies as the grant has tasks").toBe(grant.count);
  }
  return tasks;
}

export interface Claim {
  readonly queue?: string;
  readonly maxTasks?: number;
  readonly maxBytes?: number;
}

/** One claim. */
export async function claim(
  store: Store,
  { queue = QUEUE, maxTasks = 1_000, maxBytes = PLENTY }: Claim = {},
): Promise<Held[]> {
  const held = unfold(await store.claim(queue, { maxTasks, maxBytes }));
  expect(held.length, "never more than asked for").toBeLessThanOrEqual(maxTasks);
  return held;
}

/** Claims until there is nothing more to claim. */
export async function claimAll(store: Store, limits: Claim = {}): Promise<Held[]> {
  const all: Held[] = [];
  for (;;) {
    const some = await claim(store, limits);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Claims the one task that is, or will soon be, ready. */
export async function claimOne(store: Store, limits: Claim = {}): Promise<Held> {
  return until("a task can be claimed", async () => (await claim(store, { ...limits, maxTasks: 1 }))[0]);
}

/** Enqueues one task and claims it. */
export async function leaseOne(store: Store, task: NewTask = newTask("the task")): Promise<Held> {
  await store.enqueue(QUEUE, [task]);
  return claimOne(store);
}

export function textsOf(held: readonly Held[]): string[] {
  return held.map(({ body }) => body.toString());
}

export function keysOf(tasks: readonly { readonly key: string }[]): string[] {
  return tasks.map(({ key }) => key);
}

/** Settles all in one call, in the same way. */
export function settleAll(store: Store, held: readonly Held[], outcome: Outcome): Promise<readonly Settled[]> {
  return store.settle(
    held[0]?.lease.queue ?? QUEUE,
    held.map(({ lease, index }) => ({ lease, index, outcome })),
  );
}

export async function settle(store: Store, held: Held, outcome: Outcome): Promise<Settled | undefined> {
  const [answer] = await settleAll(store, [held], outcome);
  return answer;
}

export const WORKER = "host-0000abcd";

export function ack(result?: string | Uint8Array): Outcome & { kind: "ack" } {
  return {
    kind: "ack",
    result: typeof result === "string" ? Buffer.from(result) : result,
    durationMs: 12,
    workerId: WORKER,
  };
}

export function failure(message = "SMTP server temporarily unavailable", overrides: Partial<Failure> = {}): Failure {
  const stack = "SmtpError: refused\n    at send (mailer.ts:12:3)";
  return { type: "SmtpError", message, stack, durationMs: 34, workerId: WORKER, ...overrides };
}

export const retry = (delayMs = 0): Outcome => ({ kind: "retry", delayMs, failure: failure() });
export const snooze = (delayMs = 0): Outcome => ({ kind: "snooze", delayMs });
export const bury = (message?: string): Outcome => ({ kind: "bury", failure: failure(message) });
export const discard = (): Outcome => ({ kind: "discard", failure: failure() });
export const release = (): Outcome => ({ kind: "release" });
/** A lost delivery: counted, or by the broker's fault. */
export const lose = (count: 0 | 1 = 1): Outcome => ({
  kind: "lose",
  failure: count === 1 ? failure("the worker was lost", { type: "worker_lost", stack: "" }) : undefined,
});

export async function counters(store: Store, queue = QUEUE): Promise<QueueCounters> {
  const [stats] = await store.stats([queue]);
  if (!stats) throw new Error(`no stats of ${queue}`);
  return stats.counters;
}

export async function policy(store: Store, queue = QUEUE): Promise<QueuePolicy> {
  const [stats] = await store.stats([queue]);
  if (!stats) throw new Error(`no stats of ${queue}`);
  return stats.policy;
}

/** The code of the TaskwireError that a call rejects with; fails when it does not. */
export async function errorCode(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error("the call resolved"),
    (reason: unknown) => reason,
  );
  if (error instanceof TaskwireError) return error.code;
  throw error;
}

/** Enqueues tasks, claims them all and buries them in one call. The queue must be empty. */
export async function killAll(store: Store, tasks: readonly NewTask[], outcome = bury()): Promise<Held[]> {
  const keys = keysOf(await store.enqueue(QUEUE, tasks));
  const held = await claimAll(store);
  expect(new Set(await settleAll(store, held, outcome))).toEqual(new Set(["settled"]));
  return held.sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
}
