/** `--profile <system>`: runs the end-to-end row with a profiler in the broker and the worker. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closing } from "./closing.ts";
import { topSelfTimes } from "./cpu-profile.ts";
import { perSecond, runEndToEnd, sized } from "./row.ts";
import type { Settings, SystemName } from "./settings.ts";
import { startSystem, TITLES } from "./system.ts";

const SHOWN = 25;
/** As many times the tasks of a measured run: so that the start of the processes does not count for much. */
const LENGTH = 5;

/** Returns what is to be printed. A profiler costs time itself: its rates are not those of the table. */
export async function profile(name: SystemName, settings: Settings): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "taskwire-profile-"));
  const removeFolder = closing(() => rm(folder, { recursive: true, force: true }));
  const into = (part: string) => ["--cpu-prof", `--cpu-prof-dir=${join(folder, part)}`];
  const rate = await runProfiled(name, settings, into);
  const parts = name === "bullmq" ? ["worker"] : ["broker", "worker"];
  const sections = await Promise.all(
    parts.map(async (part) => {
      const lines = (await topSelfTimes(join(folder, part), SHOWN)).map(
        ({ name, percent }) => `${percent.toFixed(1).padStart(5)} %  ${name}`,
      );
      return `${TITLES[name]}, ${part}: self time without idle, ${Math.round(rate)}/s end to end under the profiler\n${lines.join("\n")}`;
    }),
  );
  await removeFolder();
  return sections.join("\n\n");
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
