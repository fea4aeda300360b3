/** Draws the state of everything, as lines of a terminal or as plain ones. */
import { color } from "./color.ts";
import type { FailedAttempt, Failures } from "./failures.ts";
import type { Addresses } from "./options.ts";
import type { Progress, QueueProgress } from "./progress.ts";

/** What a row needs beside its name and its bar. */
const NUMBERS_COLUMNS = 51;
const BAR_CELLS = { min: 8, max: 30 };
const SHOWN_FAILURES = 5;

export interface Scene {
  readonly progress: Progress;
  readonly failures: Failures;
  readonly startedAt: number;
  /** Of the broker. */
  readonly addresses: Addresses;
}

/** The whole picture, to be redrawn in place. */
export function draw({ progress, failures, startedAt, addresses }: Scene, columns: number): string {
  const { queues, stats } = progress;
  const width = Math.max(...queues.map(({ queue }) => queue.length));
  const cells = Math.min(Math.max(columns - width - NUMBERS_COLUMNS, BAR_CELLS.min), BAR_CELLS.max);
  const workers = stats?.workers ?? 0;
  const lines = [
    "",
    `${color.bold("queue".padEnd(width))}  ${"".padEnd(cells)}  ${color.dim("   done   per s  running  waiting  later  dead")}`,
    ...queues.map((queue) => row(queue, { width, cells })),
    "",
    `${seconds(Date.now() - startedAt)}   broker ${addresses.grpc}, ${workers} ${workers === 1 ? "worker" : "workers"}; ${attempts(progress)}`,
    ...failures.all.slice(-SHOWN_FAILURES).map((failure) => describe(failure, startedAt)),
  ];
  return lines.map((line) => cut(line, columns)).join("\n");
}

/** The state in one line, for what is not a terminal. */
export function plainLine(progress: Progress, startedAt: number): string {
  const queues = progress.queues.map(({ queue, done, total, rate, counters: { active, ready, scheduled, dead } }) => {
    const now = Object.entries({ running: active, waiting: ready, later: scheduled, dead })
      .filter(([, count]) => count > 0)
      .map(([word, count]) => `, ${count} ${word}`);
    return `${queue} ${done}/${total}, ${rate.toFixed(1)}/s${now.join("")}`;
  });
  return `${seconds(Date.now() - startedAt)}   ${queues.join(" | ")}`;
}

/** One failed attempt and what became of it. */
export function describe({ queue, taskId, attempt, error, at, fate }: FailedAttempt, startedAt: number): string {
  const what = `${seconds(at - startedAt)}   ${queue} ${shortId(taskId)} failed attempt ${attempt}`;
  switch (fate.kind) {
    case "unknown":
      return `${color.yellow(what)}: ${error}`;
    case "waits": {
      const inMs = Math.max(0, fate.until - Date.now());
      return `${color.yellow(what)} ${color.bold(`→ again in ${(inMs / 1_000).toFixed(1)} s`)}: ${error}`;
    }
    case "runs again":
      return `${color.yellow(what)} ${color.bold("→ runs again")}: ${error}`;
    case "failed again":
      return `${what} ${color.dim("→ failed again")}: ${error}`;
    case "completed":
      return `${color.dim(what)} ${color.green(`→ done at attempt ${fate.attempt}`)}: ${color.dim(error)}`;
    case "dead":
      return `${what} ${color.red("→ dead, no retry left")}: ${error}`;
  }
}

/** The part in which the ids of one run differ. */
function shortId(taskId: string): string {
  return `…${taskId.slice(-8)}`;
}

function row(
  { queue, counters, done, total, rate }: QueueProgress,
  { width, cells }: { readonly width: number; readonly cells: number },
): string {
  const { active, ready, scheduled, dead } = counters;
  const filled = total === 0 ? 0 : Math.round((cells * done) / total);
  const bar = `${color.green("█".repeat(filled))}${color.dim("░".repeat(cells - filled))}`;
  const numbers = [
    `${done}/${total}`.padStart(7),
    rate.toFixed(1).padStart(6),
    String(active).padStart(7),
    String(ready).padStart(7),
    String(scheduled).padStart(5),
    dead > 0 ? color.red(String(dead).padStart(4)) : "0".padStart(4),
  ];
  return `${color.bold(queue.padEnd(width))}  ${bar}  ${numbers.join("  ")}`;
}

function attempts({ stats }: Progress): string {
  const { failed = 0, retried = 0, dead = 0 } = stats?.total ?? {};
  if (failed === 0) return "no attempt failed yet";
  return `${failed} failed ${failed === 1 ? "attempt" : "attempts"}, ${retried} retried, ${dead} dead`;
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1_000)} s`.padStart(5);
}

// The escape that begins a colour is a control character by its nature.
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const COLOURED = /\u001B\[\d+m|./gu;

/** Wrapped lines would make the picture jump. */
function cut(line: string, columns: number): string {
  let room = columns;
  let text = "";
  for (const [part] of line.matchAll(COLOURED)) {
    const isColour = part.length > 1 && part.startsWith("\u001B");
    if (isColour || room-- > 0) text += part;
  }
  return text;
}
