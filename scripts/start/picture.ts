/** What a run looks like: a picture that is drawn anew in place on a terminal, or a line a second elsewhere. */
import { styleText } from "node:util";
import type { QueueCounters, Stats } from "@taskwire/client";
import logUpdate from "log-update";

/** A failed attempt, as the worker told it. */
export interface FailedAttempt {
  readonly at: Date;
  readonly type: string;
  readonly attempt: number;
  readonly message: string;
}

export interface Scene {
  readonly address: string;
  /** How many tasks of each queue there will be. */
  readonly expected: Readonly<Record<string, number>>;
  readonly stats: Stats | undefined;
  readonly failures: readonly FailedAttempt[];
  readonly elapsedMs: number;
}

const BAR_WIDTH = 28;
const SHOWN_FAILURES = 6;
const isTerminal = process.stdout.isTTY;

export function draw(scene: Scene): void {
  if (isTerminal) logUpdate(picture(scene));
  else process.stdout.write(`${summaryLine(scene)}\n`);
}

/** Leaves the last picture where it is. */
export function finish(): void {
  if (isTerminal) logUpdate.done();
}

export function ended(counters: QueueCounters | undefined): number {
  return counters ? counters.completed + counters.dead : 0;
}

function picture({ address, expected, stats, failures, elapsedMs }: Scene): string {
  const head = `${styleText("bold", "Taskwire")}  broker on ${address}, embedded store, a worker with 5 slots   ${clock(elapsedMs)}`;
  const rows = Object.entries(expected).map(([queue, total]) => row(queue, total, stats?.queues[queue], elapsedMs));
  const shown = failures.slice(-SHOWN_FAILURES).map(failureLine);
  const hidden = failures.length - shown.length;
  const title = hidden > 0 ? `failed attempts (${hidden} more above)` : "failed attempts, each followed by another";
  const log =
    shown.length > 0 ? ["", styleText("dim", title), ...shown] : ["", styleText("dim", "no attempt has failed yet")];
  return [head, "", ...rows, ...log, ""].join("\n");
}

function row(queue: string, total: number, counters: QueueCounters | undefined, elapsedMs: number): string {
  const done = ended(counters);
  const filled = Math.round((BAR_WIDTH * Math.min(done, total)) / total);
  const bar = styleText("green", "█".repeat(filled)) + styleText("dim", "░".repeat(BAR_WIDTH - filled));
  const rate = `${((done * 1_000) / Math.max(elapsedMs, 1)).toFixed(1)}/s`;
  return `${queue.padEnd(17)} ${bar} ${`${done}/${total}`.padStart(8)} ${rate.padStart(7)}   ${states(counters)}`;
}

function states(counters: QueueCounters | undefined): string {
  if (!counters) return styleText("dim", "nothing yet");
  const { ready, active, scheduled, dead, retried } = counters;
  const parts = [`${active} active`, `${ready} ready`, `${scheduled} scheduled`];
  if (retried > 0) parts.push(styleText("yellow", `${retried} retried`));
  if (dead > 0) parts.push(styleText("red", `${dead} dead`));
  return parts.join("  ");
}

function failureLine({ at, type, attempt, message }: FailedAttempt): string {
  return `  ${at.toTimeString().slice(0, 8)}  ${type}, attempt ${attempt}: ${styleText("yellow", message)}`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

function summaryLine({ expected, stats, elapsedMs }: Scene): string {
  const parts = Object.entries(expected).map(([queue, total]) => {
    const counters = stats?.queues[queue];
    return `${queue} ${ended(counters)}/${total} (${counters?.active ?? 0} active, ${counters?.scheduled ?? 0} scheduled, ${counters?.retried ?? 0} retried)`;
  });
  return `${clock(elapsedMs)}  ${parts.join("   ")}`;
}
