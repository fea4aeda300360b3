/** `--profile <system>`: runs the end-to-end row with a profiler in the broker and the worker. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closing } from "./closing.ts";
import { type Shares, sharesIn } from "./cpu-profile.ts";
import { markdownTable } from "./markdown.ts";
import { perSecond, runEndToEnd, sized } from "./row.ts";
import type { Settings, SystemName } from "./settings.ts";
import { startSystem, TITLES } from "./system.ts";

const FUNCTIONS_SHOWN = 15;
/** As many times the tasks of a measured run: so that the start of the processes does not count for much. */
const LENGTH = 5;

/** Returns Markdown. A profiler costs time itself: its rates are not those of the table. */
export async function profile(name: SystemName, settings: Settings): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "taskwire-profile-"));
  const removeFolder = closing(() => rm(folder, { recursive: true, force: true }));
  const into = (part: string) => ["--cpu-prof", `--cpu-prof-dir=${join(folder, part)}`];
  const rate = await runProfiled(name, settings, into);
  const parts = name === "bullmq" ? ["worker"] : ["broker", "worker"];
  const shares = await Promise.all(parts.map((part) => sharesIn(join(folder, part))));
  await removeFolder();
  const tables = parts.map((part, i) => functionTable(part, shares[i]));
  return [
    `**${TITLES[name]}**: share of the time in which the process was not idle, ${Math.round(rate).toLocaleString("en-US")} tasks/s.`,
    areaTable(parts, shares),
    ...tables,
  ].join("\n\n");
}

function areaTable(parts: readonly string[], shares: readonly Shares[]): string {
  const areas = [...new Set(shares.flatMap(({ byArea }) => byArea.map(({ name }) => name)))];
  const shareOf = ({ byArea }: Shares, area: string) => byArea.find(({ name }) => name === area)?.percent;
  const rows = areas.map((area) => [area, ...shares.map((share) => percent(shareOf(share, area)))]);
  return markdownTable(["where", ...parts], rows);
}

function functionTable(part: string, shares: Shares | undefined): string {
  const functions = shares?.byFunction.slice(0, FUNCTIONS_SHOWN) ?? [];
  return markdownTable(
    [`functions of the ${part} with the most time of their own`, ""],
    functions.map((share) => [`\`${share.name}\``, percent(share.percent)]),
  );
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${share.toFixed(1)} %`;
}

async function runProfiled(
  name: SystemName,
  settings: Settings,
  into: (part: string) => readonly string[],
): Promise<number> {
  const system = await startSystem(name, settings, { execArgv: into("broker") });
  const producer = await system.startProducer();
  const worker = await system.startWorker({ execArgv: into("worker") });
  const count = sized({ name }, LENGTH * settings.sizes.single);
  const span = await runEndToEnd(system, producer, worker, { queue: "profiled", count, mode: "single" });
  // The profiles are written when the processes end by themselves.
  await worker.end();
  await Promise.all(system.brokers.map((broker) => broker.stop()));
  await system.close();
  return perSecond(count, span);
}
