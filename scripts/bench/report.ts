/** The figures as Markdown. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { FIGURES, type FigureName, type Figures } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import { type Settings, SYSTEM_NAMES, type SystemName } from "./settings.ts";
import { TITLES } from "./system.ts";
import { measuredFor, TARGETS, type Target, verdict } from "./targets.ts";

export function report(figures: Figures, settings: Settings): string {
  const systems = SYSTEM_NAMES.filter((name) => settings.systems.includes(name));
  return [heading(settings), figureTable(figures, systems), targetTable(figures)].join("\n\n");
}

function heading({ runs, payload, concurrency, isQuick }: Settings): string {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${gigabytes} GB`;
  const versions = `Node ${process.versions.node}, Redis ${redisVersion()}, BullMQ ${bullmqVersion()}`;
  return [
    `${new Date().toISOString().slice(0, 10)}, ${machine}, ${process.platform}; ${versions}; taskwire at ${commit()}.`,
    `Medians of ${runs} run${runs === 1 ? "" : "s"} (lowest–highest). Payload: 100 bytes${payload === "json" ? " of JSON" : ""}.`,
    `Worker concurrency: Taskwire ${concurrency.taskwire}, BullMQ ${concurrency.bullmq}.`,
    ...(isQuick ? ["**A quick run: too short to be quoted.**"] : []),
  ].join("\n");
}

function figureTable(figures: Figures, systems: readonly SystemName[]): string {
  // Object.keys forgets what the keys are.
  const names = Object.keys(FIGURES) as FigureName[];
  const measured = names.filter((name) => systems.some((system) => figures.of(system, name).length > 0));
  return markdownTable(
    ["", ...systems.map((system) => TITLES[system])],
    measured.map((name) => {
      const { title, unit } = FIGURES[name];
      return [title, ...systems.map((system) => cell(figures, system, name, unit))];
    }),
  );
}

function cell(figures: Figures, system: SystemName, name: FigureName, unit: string): string {
  const values = figures.of(system, name);
  const median = figures.median(system, name);
  if (median === undefined) return "–";
  if (values.length === 1) return text(median, unit);
  return `${text(median, unit)} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

function targetTable(figures: Figures): string {
  return markdownTable(
    ["", "on", "target", "measured", "", "BullMQ"],
    TARGETS.flatMap((target) => {
      const measured = measuredFor(target, figures);
      return measured === undefined ? [] : [targetRow(target, measured, figures)];
    }),
  );
}

function targetRow(target: Target, measured: number, figures: Figures): string[] {
  const { measure, bound } = target;
  const isRatio = "timesPeer" in measure;
  const figure = isRatio ? measure.timesPeer : measure.figure;
  const withUnit = (value: number) => (isRatio ? `${format(value)} ×` : text(value, FIGURES[figure].unit));
  const { floor, goal } = "atLeast" in bound ? bound.atLeast : bound.atMost;
  const sign = "atLeast" in bound ? "≥" : "≤";
  const wanted = `${sign} ${withUnit(floor)}${goal === undefined ? "" : `, then ${withUnit(goal)}`}`;
  const reached = verdict(target, measured);
  const marks = [reached.floor, reached.goal].filter((mark) => mark !== undefined).map((mark) => (mark ? "✓" : "✗"));
  const peer = figures.median("bullmq", figure);
  return [
    target.what,
    TITLES[target.system].replace("Taskwire, ", ""),
    wanted,
    withUnit(measured),
    marks.join(" "),
    peer === undefined ? "–" : text(peer, FIGURES[figure].unit),
  ];
}

function text(value: number, unit: string): string {
  return `${format(value)}${unit.startsWith("/") ? unit : unit && ` ${unit}`}`;
}

/** Three digits that matter; whole numbers from 100 on. A share just below 100 % does not become 100. */
function format(value: number): string {
  if (value > 99 && value < 100) return value.toFixed(2);
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}

function redisVersion(): string {
  return /v=([\d.]+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";
}

function bullmqVersion(): string {
  const file = new URL("../../node_modules/bullmq/package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  } catch {
    return "an unknown commit";
  }
}
