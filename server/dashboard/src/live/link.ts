/**
 * The one stream from the broker that keeps every page live.
 *
 * connecting → live → away → connecting, with a longer pause after each failure. A hidden page is paused: it holds no
 * stream, and opens one when it is seen again. Pages that show more than the numbers of the stream fetch it again when a
 * message comes (`useFetched`), so that nothing at all is asked for while the stream is away.
 */
import { signal } from "@preact/signals";
import type { Stats } from "../api/messages.ts";
import { setClock } from "./clock.ts";
import { addSample } from "./rates.ts";

/** "fault": the broker answers, but not what it was asked for. */
export type Who = "broker" | "store" | "fault";

export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "paused" }
  | {
      readonly kind: "away";
      /** Who does not answer. */
      readonly who: Who;
      readonly reason: string;
      readonly retryAtMs: number;
    };

export const link = signal<Link>({ kind: "connecting" });
/** The last numbers; kept while the link is away. */
export const stats = signal<Stats | undefined>(undefined);
/** When they came, by the clock of this machine; 0 = never. */
export const updatedAtMs = signal(0);

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** A message comes each second. After such a silence the connection is dead, though nothing says so. */
const SILENCE_MS = 8_000;

let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let openedAtMs = 0;

export function startLink(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) pause();
    else open();
  });
  setInterval(() => {
    const heardAtMs = Math.max(openedAtMs, updatedAtMs.peek());
    if (source && Date.now() - heardAtMs > SILENCE_MS) void fail();
  }, 1_000);
  if (document.hidden) link.value = { kind: "paused" };
  else open();
}

/** Tries at once. */
export function reconnect(): void {
  close();
  open();
}

function open(): void {
  if (source) return;
  clearTimeout(retry);
  openedAtMs = Date.now();
  if (link.peek().kind !== "away") link.value = { kind: "connecting" };
  const opened = new EventSource("/events/stats?interval=1s");
  source = opened;
  opened.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
  opened.addEventListener("failed", ({ data }) => void fail(JSON.parse(data)));
  opened.addEventListener("error", () => source === opened && void fail());
}

function receive({ stats: latest }: { readonly stats: Stats }): void {
  failures = 0;
  updatedAtMs.value = Date.now();
  setClock(Date.parse(latest.time ?? ""));
  addSample(latest);
  if (link.peek().kind !== "live") link.value = { kind: "live" };
  stats.value = latest;
}

function pause(): void {
  close();
  link.value = { kind: "paused" };
}

function close(): void {
  source?.close();
  source = undefined;
  clearTimeout(retry);
}

/** An error as the broker tells it. */
interface Told {
  readonly code: string;
  readonly message: string;
}

/** The browser does not tell why a stream ended: the broker is asked whether it is there, and its store. */
async function fail(told?: Told): Promise<void> {
  close();
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
  retry = setTimeout(open, pauseMs);
  const retryAtMs = Date.now() + pauseMs;
  const { who, reason } = await findCause(told);
  if (!document.hidden && !source) link.value = { kind: "away", who, reason, retryAtMs };
}

async function findCause(told?: Told): Promise<{ who: Who; reason: string }> {
  if (told && told.code !== "unavailable") return { who: "fault", reason: told.message };
  try {
    const answer = await fetch("/readyz", { signal: AbortSignal.timeout(2_000) });
    const { reason = "" } = (await answer.json()) as { reason?: string };
    if (answer.ok && told === undefined) return { who: "broker", reason: "the stream was interrupted" };
    return { who: reason.includes("stopping") ? "broker" : "store", reason: told?.message ?? reason };
  } catch {
    return { who: "broker", reason: "it does not answer" };
  }
}
