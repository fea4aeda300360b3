/** What a worker says of an attempt, and which outcome that makes. Here a failure meets the policy of its task. */
import { judge } from "../domain/failure.ts";
import type { TaskOptions } from "../domain/options.ts";
import type { Failure, Outcome } from "../store/store.ts";

/** What the worker says of one task. `fail` leaves the decision to the task's policy. */
export type Report =
  | { readonly kind: "ack"; readonly result: Uint8Array | undefined }
  | ReportedFailure
  | ({ readonly kind: "bury" | "discard" } & ReportedError)
  | { readonly kind: "release"; readonly delayMs: number };

export interface ReportedFailure extends ReportedError {
  readonly kind: "fail";
  /** Instead of the delay of the policy. */
  readonly retryDelayMs: number | undefined;
}

interface ReportedError {
  readonly errorType: string;
  readonly message: string;
  readonly stack: string;
}

/** What is kept of an attempt beside how it ended. */
export interface Run {
  readonly durationMs: number;
  readonly workerId: string;
}

/** The task of an attempt, as far as its policy needs it. */
export interface Judged {
  readonly attempt: number;
  readonly options: TaskOptions;
}

/** The outcome of a report that leaves nothing to decide. */
export function outcomeOf(report: Exclude<Report, ReportedFailure>, run: Run): Outcome {
  switch (report.kind) {
    case "ack":
      return { kind: "ack", result: report.result, ...run };
    case "release":
      return report.delayMs > 0 ? { kind: "snooze", delayMs: report.delayMs } : { kind: "release" };
    case "bury":
    case "discard":
      return { kind: report.kind, failure: failureOf(report, run) };
  }
}

/** Retried or buried, as the policy of the task says. */
export function failed(report: ReportedFailure, run: Run, { options, attempt }: Judged): Outcome {
  return { ...judge(options, attempt, report.retryDelayMs), failure: failureOf(report, run) };
}

function failureOf({ errorType, message, stack }: ReportedError, run: Run): Failure {
  return { type: errorType, message, stack, ...run };
}
