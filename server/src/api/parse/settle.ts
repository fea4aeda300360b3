/**
 * Settle frames, read by hand: with acks packed, a frame of 100 is a list of 100 small numbers, and the generated decoder
 * makes a big integer of each. A test compares both.
 */
import { Ack, type Duration, Nack, Release } from "@taskwire/proto";
import type { Report } from "../../delivery/report.ts";
import type { TagReport } from "../../delivery/session.ts";
import { LIMITS } from "../../domain/limits.ts";
import { eachField } from "../../domain/task-body.ts";
import { VarintReader } from "../../lib/varint.ts";
import { durationSentence } from "./fields.ts";

const SETTLE = { settleId: 1, ackTags: 2, outcomes: 3 } as const;
const OUTCOME = { tag: 1, ack: 2, nack: 3, release: 4 } as const;

export interface SettleFrame {
  readonly settleId: number;
  readonly reports: readonly TagReport[];
  /** Outcomes that are wrong in themselves; their tasks are still the worker's. */
  readonly invalid: readonly { readonly tag: number; readonly message: string }[];
}

const PLAIN_ACK: Report = { kind: "ack", result: undefined };

/** Reads a Settle from `start` to `end`; undefined when it is not one. */
export function parseSettle(
  bytes: Buffer,
  start: number,
  end: number,
  maxResultBytes: number,
): SettleFrame | undefined {
  const reports: TagReport[] = [];
  const invalid: { tag: number; message: string }[] = [];
  let settleId = 0;
  const isMessage = eachField(bytes, start, end, (field) => {
    if (field.number === SETTLE.settleId) settleId = field.value;
    else if (field.number === SETTLE.ackTags) readAcks(bytes, field, reports);
    else if (field.number === SETTLE.outcomes) {
      const { tag, report } = readOutcome(bytes, field.start, field.end, maxResultBytes);
      if (typeof report === "string") invalid.push({ tag, message: report });
      else reports.push({ tag, report });
    }
  });
  return isMessage ? { settleId, reports, invalid } : undefined;
}

/** Packed, or, from an unusual encoder, one number. */
function readAcks(
  bytes: Buffer,
  { start, end, value }: { start: number; end: number; value: number },
  into: TagReport[],
): void {
  if (value > 0) {
    into.push({ tag: value, report: PLAIN_ACK });
    return;
  }
  const reader = new VarintReader(bytes, start);
  while (reader.at < end) into.push({ tag: reader.next(), report: PLAIN_ACK });
}

function readOutcome(
  bytes: Buffer,
  from: number,
  to: number,
  maxResultBytes: number,
): { tag: number; report: Report | string } {
  let tag = 0;
  let report: Report | string = "the outcome says neither ack nor nack nor release";
  eachField(bytes, from, to, ({ number, value, start, end }) => {
    if (number === OUTCOME.tag) tag = value;
    else if (number === OUTCOME.ack) report = toAck(Ack.decode(bytes.subarray(start, end)), maxResultBytes);
    else if (number === OUTCOME.nack) report = toFailure(Nack.decode(bytes.subarray(start, end)));
    else if (number === OUTCOME.release) report = toRelease(Release.decode(bytes.subarray(start, end)));
  });
  return { tag, report };
}

/** A report, or a sentence that says what is wrong. */
export function toAck({ result }: Ack, maxResultBytes: number): Report | string {
  if (result.length > maxResultBytes)
    return `the result has ${result.length} bytes; at most ${maxResultBytes} are allowed (TASKWIRE_MAX_PAYLOAD_BYTES)`;
  return { kind: "ack", result: result.length > 0 ? result : undefined };
}

export function toFailure({ action, errorType, errorMessage, errorStack, retryDelay }: Nack): Report | string {
  const text = {
    errorType: errorType.slice(0, LIMITS.errorTypeLength),
    message: errorMessage.slice(0, LIMITS.errorMessageLength),
    stack: errorStack.slice(0, LIMITS.errorStackLength),
  };
  switch (action) {
    case ACTION.DEAD_LETTER:
      return { kind: "bury", ...text };
    case ACTION.DISCARD:
      return { kind: "discard", ...text };
    default: {
      const retryDelayMs = retryDelay && delayMs(retryDelay);
      if (typeof retryDelayMs === "string") return retryDelayMs;
      return { kind: "fail", ...text, retryDelayMs };
    }
  }
}

const ACTION = { DEAD_LETTER: 2, DISCARD: 3 } as const;

export function toRelease({ delay }: Release): Report | string {
  const ms = delay ? delayMs(delay) : 0;
  return typeof ms === "string" ? ms : { kind: "release", delayMs: ms };
}

function delayMs(delay: Duration): number | string {
  const ms = delay.seconds * 1_000 + Math.ceil(delay.nanos / 1e6);
  const wrong = durationSentence(delay, { min: 0, max: LIMITS.delayMs });
  return wrong === undefined ? ms : `a delay of ${ms / 1_000} s; ${wrong}`;
}
