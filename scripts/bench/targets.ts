/** What the project has promised itself, beside what was measured. */
import { FIGURES, type FigureName, type Figures } from "./figures.ts";
import type { SystemName } from "./settings.ts";

/** The floor must be reached; the goal is what comes after it. */
interface Bound {
  readonly floor: number;
  readonly goal?: number;
}

export interface Target {
  readonly what: string;
  readonly system: SystemName;
  /** What must be reached: one figure, or how many times the figure of BullMQ it is. */
  readonly measure: { readonly figure: FigureName } | { readonly timesPeer: FigureName };
  readonly bound: { readonly atLeast: Bound } | { readonly atMost: Bound };
}

/** A target of one figure. */
function least(system: SystemName, figure: FigureName, floor: number, goal?: number): Target {
  return { what: FULL_TITLES[figure], system, measure: { figure }, bound: { atLeast: boundOf(floor, goal) } };
}

function most(system: SystemName, figure: FigureName, floor: number, goal?: number): Target {
  return { what: FULL_TITLES[figure], system, measure: { figure }, bound: { atMost: boundOf(floor, goal) } };
}

function timesPeer(system: SystemName, figure: FigureName, floor: number, goal?: number): Target {
  const what = `${FULL_TITLES[figure]}, as a multiple of BullMQ's`;
  return { what, system, measure: { timesPeer: figure }, bound: { atLeast: boundOf(floor, goal) } };
}

function boundOf(floor: number, goal: number | undefined): Bound {
  return goal === undefined ? { floor } : { floor, goal };
}

/** The titles of the table, where a dash stands for the title above. */
const FULL_TITLES = fullTitles();

const OURS = ["redis-everysec", "redis-always", "embedded"] as const;

export const TARGETS: readonly Target[] = [
  least("redis-everysec", "endToEndSingle", 60_000, 100_000),
  least("redis-always", "endToEndSingle", 60_000, 75_000),
  least("embedded", "endToEndSingle", 60_000, 90_000),
  ...OURS.map((system) => timesPeer(system, "endToEndSingle", 5, 8)),
  least("redis-everysec", "endToEndBulk", 90_000, 250_000),
  least("redis-always", "endToEndBulk", 90_000, 250_000),
  least("embedded", "endToEndBulk", 90_000, 200_000),
  ...OURS.map((system) => least(system, "drain", 145_000, 200_000)),
  most("redis-everysec", "bytesBulk", 150),
  most("redis-everysec", "bytesSingle", 200),
  most("redis-everysec", "cpuRedis", 8, 3),
  ...OURS.flatMap((system) => [
    most(system, "warmP50", 1),
    most(system, "warmP99", 3),
    most(system, "coldP99", 4),
    least(system, "backlogEnqueue", 90),
    least(system, "backlogDrain", 90),
    least(system, "backlogEndToEnd", 90),
    most(system, "dueAtOnceP99", 500),
    most(system, "dueOneByOneP99", 50),
    most(system, "resetP99", 50),
    most(system, "workerKillP99", 100),
  ]),
  most("redis-everysec", "brokerKillP99", 2_000),
  least("redis-everysec", "busyShare", 98),
  most("redis-everysec", "cpuTotal", 30, 16),
  // The parts have no floor of their own: their goal is the bound.
  most("redis-everysec", "cpuProducer", 4),
  most("redis-everysec", "cpuBroker", 6),
  most("redis-everysec", "cpuWorker", 4),
  most("redis-everysec", "cpuRedis", 2),
  ...OURS.flatMap((system) => [
    most(system, "loadTestSeconds", 45),
    least(system, "loadTestPerMinute", 120_000),
    least(system, "loadTestFirstTry", 99.97),
    most(system, "loadTestLost", 0),
    most(system, "warmP95", 50),
  ]),
  ...OURS.flatMap((system) => [
    least(system, "doorsShare", 95),
    least(system, "connectEnqueue", 3_000),
    most(system, "listP99", 20),
    most(system, "listFilteredP99", 20),
    most(system, "reviveRatio", 2),
    most(system, "firstViewP99", 1_000),
  ]),
];

/** What is to be compared with the bound; undefined when it was not measured in this run. */
export function measuredFor({ system, measure }: Target, figures: Figures): number | undefined {
  if ("figure" in measure) return figures.median(system, measure.figure);
  const own = figures.median(system, measure.timesPeer);
  const peer = figures.median("bullmq", measure.timesPeer);
  return own === undefined || peer === undefined ? undefined : own / peer;
}

/** Whether a value reaches the floor, and the goal if there is one. */
export function verdict({ bound }: Target, value: number): { readonly floor: boolean; readonly goal?: boolean } {
  const reaches = (limit: number) => ("atLeast" in bound ? value >= limit : value <= limit);
  const { floor, goal } = "atLeast" in bound ? bound.atLeast : bound.atMost;
  return goal === undefined ? { floor: reaches(floor) } : { floor: reaches(floor), goal: reaches(goal) };
}

function fullTitles(): Readonly<Record<FigureName, string>> {
  const titles: Partial<Record<FigureName, string>> = {};
  let head = "";
  // Object.entries forgets what the keys are.
  for (const [name, { title }] of Object.entries(FIGURES) as [FigureName, { title: string }][]) {
    const isDetail = title.startsWith("– ");
    if (!isDetail) head = title.replace(/: .*$/, "");
    titles[name] = isDetail ? `${head}: ${title.slice(2)}` : title;
  }
  // The loop has been over every name.
  return titles as Record<FigureName, string>;
}
