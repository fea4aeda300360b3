/** `npm run bench`: measures Taskwire and BullMQ side by side and prints one table. See docs/benchmarks.md. */
import { backlogRow } from "./bench/backlog-row.ts";
import { closeAll, closeOnSignals } from "./bench/closing.ts";
import { delayedRow } from "./bench/delayed-row.ts";
import { endToEndRow } from "./bench/end-to-end-row.ts";
import { Figures } from "./bench/figures.ts";
import { latencyRow } from "./bench/latency-row.ts";
import { loadTestRow } from "./bench/load-test-row.ts";
import { queueRow } from "./bench/queue-row.ts";
import { redeliveryRow } from "./bench/redelivery-row.ts";
import { report } from "./bench/report.ts";
import type { Row } from "./bench/row.ts";
import { type RowName, readSettings, type Settings } from "./bench/settings.ts";
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
};

closeOnSignals();
try {
  const settings = readSettings(process.argv.slice(2));
  const figures = await measureAll(settings);
  console.log(report(figures, settings));
} finally {
  await closeAll();
}

async function measureAll(settings: Settings): Promise<Figures> {
  const figures = new Figures();
  for (const rowName of settings.rows) {
    const row = ROWS[rowName];
    for (const name of settings.systems.filter((system) => row.systems.includes(system))) {
      const startedAt = performance.now();
      await row.measure({ name, settings, figures });
      progress(`${rowName}, ${name}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    }
  }
  return figures;
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
