/** The entry for the most frequent end of a task alone. It has a form of its own, so that many of them cost little. */
import type { Lease } from "../../domain/lease.ts";
import { encodeResults } from "../records.ts";
import type { Outcome } from "../store.ts";
import type { Entry } from "./entry.ts";
import { type AloneLease, resultIndex } from "./held-lease.ts";
import type { Argument } from "./script.ts";

type Ack = Extract<Outcome, { kind: "ack" }>;

const NO_EFFECTS: readonly Argument[] = [];
const NO_DELAYS: readonly number[] = [];

export interface AloneAck {
  readonly lease: Lease;
  readonly held: AloneLease;
  /** The text that stands in the store. */
  readonly expected: string;
  readonly nowMs: number;
}

export function planAloneAck(
  { lease, held, expected, nowMs }: AloneAck,
  { durationMs, workerId, result }: Ack,
): Entry & { readonly following: "" } {
  const { broker, sequence, attempt } = lease;
  const { key, record } = held;
  const entries = [{ index: resultIndex(key), durationMs, workerId, result, failure: undefined }];
  const { lostCount, attempts: earlier } = record;
  const results = encodeResults({ broker, sequence, attempt, lostCount, endedAtMs: nowMs, earlier, entries });
  return {
    head: ["a", String(sequence), expected, results, 0],
    effects: NO_EFFECTS,
    following: "",
    delaysMs: NO_DELAYS,
    endedKeys: () => [key],
  };
}
