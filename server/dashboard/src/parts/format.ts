/** Numbers, times and sizes as people read them. */

const WHOLE = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const BRIEF = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 2 });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** What is not known. */
export const UNKNOWN = "–";

export function whole(value: number | undefined): string {
  return value === undefined ? UNKNOWN : WHOLE.format(value);
}

/** Short from a million on: below that, each task counts. */
export function short(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return value < 1_000_000 ? WHOLE.format(value) : COMPACT.format(value);
}

/** In four letters, for where there is no room for more. */
export function brief(value: number): string {
  return value < 1_000 ? WHOLE.format(value) : BRIEF.format(value);
}

export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return UNKNOWN;
  if (perSecond > 0 && perSecond < 0.05) return "<0.1";
  return perSecond < 9.95 ? String(Math.round(perSecond * 10) / 10) : short(Math.round(perSecond));
}

export function percent(share: number | undefined): string {
  if (share === undefined) return UNKNOWN;
  const value = share * 100;
  if (value > 0 && value < 0.1) return "<0.1 %";
  return `${value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value)} %`;
}

export function span(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toPrecision(3))} s`;
  return inUnits(ms);
}

/** How long something has lasted, in whole seconds. */
export function age(ms: number): string {
  return ms < 500 ? "0 s" : span(Math.round(ms / 1_000) * 1_000);
}

const HOUR_MS = 3_600_000;

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** The two largest units, such as "3 h 12 min". */
function inUnits(ms: number): string {
  let rest = Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many > 0) parts.push(`${many} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** Such as "12 s ago" or "in 3 h 20 min". */
export function relative(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  const size = Math.abs(ms);
  if (size < 1_500) return ms >= 0 ? "just now" : "in a moment";
  const text =
    size < 60_000
      ? `${Math.round(size / 1_000)} s`
      : size < HOUR_MS
        ? `${Math.round(size / 60_000)} min`
        : inUnits(size);
  return ms > 0 ? `${text} ago` : `in ${text}`;
}

/** With its zone. */
export function exact(atMs: number): string {
  return `${EXACT.format(atMs)} · ${new Date(atMs).toISOString()}`;
}

export function bytes(size: number | undefined): string {
  if (size === undefined) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(size) / 10));
  const value = size / 1_024 ** step;
  return `${step === 0 ? Math.round(value) : Number(value.toPrecision(3))} ${units[step]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
