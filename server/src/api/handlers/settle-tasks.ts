import type { SettleTasksRequest, SettleTasksResponse, TokenOutcome, TokenResult } from "@taskwire/proto";
import type { Holder } from "../../delivery/dispatcher.ts";
import { failed, outcomeOf, type Report, type Run } from "../../delivery/report.ts";
import { type Lease, type ParsedToken, parseLeaseToken } from "../../domain/lease.ts";
import { LIMITS } from "../../domain/limits.ts";
import { DEFAULT_OPTIONS } from "../../domain/options.ts";
import { readOptions } from "../../domain/task-body.ts";
import type { Outcome, Settlement } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { Fields } from "../parse/fields.ts";
import { toAck, toFailure, toRelease } from "../parse/settle.ts";

const SETTLED: TokenResult = { settled: true, reason: 0, message: "" };
const STALE: TokenResult = { settled: false, reason: 1, message: "the task is no longer held under this token" };
const UNAVAILABLE: TokenResult = {
  settled: false,
  reason: 3,
  message: "the store cannot be reached: settle it again later",
};
const invalid = (message: string): TokenResult => ({ settled: false, reason: 4, message });

export function settleTasks(broker: Broker): UnaryHandler<SettleTasksRequest, SettleTasksResponse> {
  return async (request) => {
    const { outcomes } = request;
    const said = parseRuns(request);
    const tokens = outcomes.map(({ leaseToken }) => parseLeaseToken(leaseToken));
    const holders = broker.dispatcher.holdersOf(tokens);
    const prepared = await Promise.all(
      outcomes.map(({ result }, i) => {
        const holder = holders[i];
        const run = holder ? seenRun(holder) : (said[i] ?? UNTOLD);
        return prepare(broker, tokens[i], { result, run, enqueuedAtMs: holder?.task.of.enqueuedAtMs });
      }),
    );
    const settlements = prepared.filter((item): item is Settlement => "outcome" in item);
    const settled = await broker.settler.settle(settlements);
    let next = 0;
    const results = prepared.map((item, i) => {
      if (!("outcome" in item)) return item;
      const answer = settled[next++];
      const holder = holders[i];
      if (answer === "settled" && holder) broker.dispatcher.forget(holder);
      return answer === "settled" ? SETTLED : answer === "stale" ? STALE : UNAVAILABLE;
    });
    return { results };
  };
}

/** What is to be settled, and what is known of it. */
interface Said {
  readonly result: TokenOutcome["result"];
  readonly run: Run;
  readonly enqueuedAtMs: number | undefined;
}

const UNTOLD: Run = { durationMs: 0, workerId: "" };

/** What the worker says of its attempts. */
function parseRuns({ outcomes, workerId }: SettleTasksRequest): readonly Run[] {
  const fields = new Fields();
  fields.count("outcomes", outcomes.length, LIMITS.batchTasks);
  if (workerId !== "") fields.name("worker_id", workerId);
  const bounds = { min: 0, max: LIMITS.delayMs, fallback: 0 };
  const runs = outcomes.map(({ duration }, i) => ({
    workerId,
    durationMs: fields.durationMs(`outcomes[${i}].duration`, duration, bounds),
  }));
  fields.check();
  return runs;
}

/** What this broker saw of an attempt. */
function seenRun({ session, task }: Holder): Run {
  return { durationMs: Date.now() - task.deliveredAtMs, workerId: session.profile.workerId };
}

/** What to ask of the store; or the answer, when there is nothing to ask. */
async function prepare(
  broker: Broker,
  token: ParsedToken | undefined,
  { result, run, enqueuedAtMs }: Said,
): Promise<Settlement | TokenResult> {
  if (!token) return invalid("lease_token is not a token made by a broker");
  const queue = await broker.store.queueByTag(token.tag);
  if (queue === undefined) return STALE;
  const report = toReport(result, broker.limits.maxPayloadBytes);
  if (typeof report === "string") return invalid(report);
  const lease = { ...token.lease, queue };
  const outcome = await toOutcome(broker, { lease, index: token.index, report, run });
  return outcome ? { lease, index: token.index, outcome, enqueuedAtMs } : STALE;
}

function toReport(result: TokenOutcome["result"], maxResultBytes: number): Report | string {
  switch (result?.$case) {
    case "ack":
      return toAck(result.value, maxResultBytes);
    case "nack":
      return toFailure(result.value);
    case "release":
      return toRelease(result.value);
    case undefined:
      return "the outcome says neither ack nor nack nor release";
  }
}

/** Undefined when the lease is stale. */
async function toOutcome(
  { store }: Broker,
  { lease, index, report, run }: { lease: Lease; index: number; report: Report; run: Run },
): Promise<Outcome | undefined> {
  if (report.kind !== "fail") return outcomeOf(report, run);
  const task = await store.findLeased(lease, index);
  if (!task) return undefined;
  const options = task.hasOptions ? readOptions(Buffer.from(task.body)) : DEFAULT_OPTIONS;
  return failed(report, run, { attempt: task.attempt, options });
}
