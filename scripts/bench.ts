/** `npm run bench`: measures Taskwire and BullMQ side by side and prints one table. See docs/benchmarks.md. */
import { backlogRow } from "./bench/backlog-row.ts";
import { closeAll, closeOnSignals, isInterrupted } from "./bench/closing.ts";
import { connectRow } from "./bench/connect-row.ts";
import { delayedRow } from "./bench/delayed-row.ts";
import { doorsRow } from "./bench/doors-row.ts";
import { endToEndRow } from "./bench/end-to-end-row.ts";
import { Figures } from "./bench/figures.ts";
import { firstViewRow } from "./bench/first-view-row.ts";
import { latencyRow } from "./bench/latency-row.ts";
import { listRow } from "./bench/list-row.ts";
import { loadTestRow } from "./bench/load-test-row.ts";
import { writeToPage } from "./bench/page.ts";
import { profile } from "./bench/profile.ts";
import { queueRow } from "./bench/queue-row.ts";
import { redeliveryRow } from "./bench/redelivery-row.ts";
import { report } from "./bench/report.ts";
import { reviveRow } from "./bench/revive-row.ts";
import type { Row } from "./bench/row.ts";
import { HELP, type RowName, readSettings, type Settings } from "./bench/settings.ts";
import { windowsRow } from "./bench/windows-row.ts";

const ROWS: Readonly<Record<RowName, Row>> = {
  queue: queueRow,
  "end-to-end": endToEndRow,
  latency: latencyRow,
  backlog: backlogRow,
  delayed: delayedRow,
  windows: windowsRow,
  redelivery: redeliveryRow,
  "load-test": loadTestRow,
  doors: doorsRow,
  connect: connectRow,
  list: listRow,
  revive: reviveRow,
  "first-view": firstViewRow,
};

const args = process.argv.slice(2);
if (args.includes("--help")) {
  process.stdout.write(HELP);
  process.exit(0);
}
closeOnSignals();
try {
  const settings = readSettings(args);
  if (settings.profiled.length > 0) await profileAndReport(settings);
  else await measureAndReport(settings);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await closeAll();
}

async function profileAndReport(settings: Settings): Promise<void> {
  const sections: string[] = [];
  for (const name of settings.profiled) sections.push(await profile(name, settings));
  const markdown = sections.join("\n\n");
  console.log(markdown);
  if (settings.isWritten) await writeToPage("profile", markdown);
}

async function measureAndReport(settings: Settings): Promise<void> {
  const figures = new Figures();
  const failures: string[] = [];
  for (const rowName of settings.rows) {
    const row = ROWS[rowName];
    const systems = settings.systems.filter((system) => row.systems.includes(system));
    // The systems take turns, so that a slow minute of the machine is shared by all.
    for (let run = 1; run <= settings.runs; run++) {
      for (const name of systems) {
        const startedAt = performance.now();
        // One measurement that fails does not cost the others.
        await row.measure({ name, settings, figures }).catch((error: unknown) => {
          failures.push(`${rowName}, ${name}: ${error instanceof Error ? error.message : String(error)}`);
        });
        if (isInterrupted()) return;
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        progress(`${rowName}, run ${run} of ${settings.runs}, ${name}: ${seconds} s`);
      }
    }
  }
  const markdown = report(figures, settings);
  console.log(markdown);
  for (const failure of failures) progress(`FAILED ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  else if (settings.isWritten) await writeToPage("bench", markdown);
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
