/**
 * Settle frames, written by hand: the generated encoder takes each tag through a BigInt, which costs more than
 * everything else that happens to a task here. Outcomes that are rare (anything but an ack) go through it all the
 * same.
 */
import { Nack_Action, type TokenOutcome, Outcome as WireOutcome } from "@taskwire/proto";
import { varintLength, writeVarint } from "./cursor.ts";
import type { Execution } from "./execution.ts";
import { DONE, type Failure, type Outcome } from "./outcome.ts";
import { toDuration } from "./wire-time.ts";

/** Field numbers and wire types, as they stand before each field: number × 8 + wire type. */
const FRAME_SETTLE = 3 * 8 + 2;
const SETTLE = { settleId: 1 * 8, ackTags: 2 * 8 + 2, outcomes: 3 * 8 + 2 } as const;
const OUTCOME = { tag: 1 * 8, ack: 2 * 8 + 2 } as const;
const ACK_RESULT = 1 * 8 + 2;

/** A SubscribeRequest with a Settle of these attempts, each of which has its outcome. */
export function encodeSettle(settleId: number, executions: readonly Execution[]): Buffer {
  const tags: number[] = [];
  const others: Uint8Array[] = [];
  let tagsLength = 0;
  let othersLength = 0;
  for (const { delivery, outcome = DONE } of executions) {
    if (outcome.kind === "ack" && outcome.result === undefined) {
      tags.push(delivery.tag);
      tagsLength += varintLength(delivery.tag);
      continue;
    }
    const encoded = encodeOutcome(delivery.tag, outcome);
    others.push(encoded);
    othersLength += 1 + varintLength(encoded.length) + encoded.length;
  }
  const packedLength = tags.length > 0 ? 1 + varintLength(tagsLength) + tagsLength : 0;
  const length = 1 + varintLength(settleId) + packedLength + othersLength;

  const frame = Buffer.allocUnsafe(1 + varintLength(length) + length);
  frame[0] = FRAME_SETTLE;
  let at = writeVarint(frame, 1, length);
  frame[at++] = SETTLE.settleId;
  at = writeVarint(frame, at, settleId);
  if (tags.length > 0) {
    frame[at++] = SETTLE.ackTags;
    at = writeVarint(frame, at, tagsLength);
    for (const tag of tags) at = writeVarint(frame, at, tag);
  }
  for (const encoded of others) {
    frame[at++] = SETTLE.outcomes;
    at = writeVarint(frame, at, encoded.length);
    frame.set(encoded, at);
    at += encoded.length;
  }
  return frame;
}

function encodeOutcome(tag: number, outcome: Outcome): Uint8Array {
  if (outcome.kind !== "ack" || !outcome.result)
    return WireOutcome.encode({ tag, result: presentOutcome(outcome) }).finish();
  const { result } = outcome;
  const ackLength = 1 + varintLength(result.length) + result.length;
  const encoded = Buffer.allocUnsafe(1 + varintLength(tag) + 1 + varintLength(ackLength) + ackLength);
  encoded[0] = OUTCOME.tag;
  let at = writeVarint(encoded, 1, tag);
  encoded[at++] = OUTCOME.ack;
  at = writeVarint(encoded, at, ackLength);
  encoded[at++] = ACK_RESULT;
  at = writeVarint(encoded, at, result.length);
  encoded.set(result, at);
  return encoded;
}

/** An outcome as the contract writes it, with a tag or with a token. */
export function presentOutcome(outcome: Outcome): NonNullable<TokenOutcome["result"]> {
  switch (outcome.kind) {
    case "ack":
      return { $case: "ack", value: { result: outcome.result ?? new Uint8Array() } };
    case "retry":
      return nack(
        outcome.afterMs === undefined ? Nack_Action.UNSPECIFIED : Nack_Action.RETRY,
        outcome,
        outcome.afterMs,
      );
    case "bury":
      return nack(Nack_Action.DEAD_LETTER, outcome);
    case "discard":
      return nack(Nack_Action.DISCARD, outcome);
    case "snooze":
      return { $case: "release", value: { delay: toDuration(outcome.afterMs) } };
    case "release":
      return { $case: "release", value: { delay: undefined } };
  }
}

function nack(
  action: Nack_Action,
  { errorType, message, stack }: Failure,
  retryDelayMs?: number,
): NonNullable<TokenOutcome["result"]> {
  const retryDelay = retryDelayMs === undefined ? undefined : toDuration(retryDelayMs);
  return { $case: "nack", value: { action, errorType, errorMessage: message, errorStack: stack, retryDelay } };
}

/** About how many bytes an outcome takes on the wire, for splitting frames. */
export function outcomeBytes({ outcome }: Execution): number {
  if (!outcome || outcome.kind === "release" || outcome.kind === "snooze") return 16;
  if (outcome.kind === "ack") return 16 + (outcome.result?.length ?? 0);
  return 32 + outcome.errorType.length + outcome.message.length + outcome.stack.length;
}
