/** Finds the Prometheus that tests start, or installs it where that can be done without asking. */
import { execFileSync } from "node:child_process";
import { canInstall, install } from "./apt.ts";

const HOW_TO =
  "The tests of the dashboard and the alerts need prometheus and promtool on the path, and are skipped: apt-get install prometheus, brew install prometheus, or see https://prometheus.io/download/";

/** Its version. Without it only some tests are skipped, so this says how to get it and goes on. */
export function ensurePrometheus(): string {
  try {
    const found = prometheusVersion() ?? (canInstall() ? installPrometheus() : undefined);
    if (found !== undefined) return found;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  console.error(HOW_TO);
  return "missing";
}

function installPrometheus(): string | undefined {
  install("prometheus", HOW_TO);
  return prometheusVersion();
}

function prometheusVersion(): string | undefined {
  try {
    // Some versions write it to standard error.
    const told = execFileSync("promtool", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    return /version (\S+?),? /.exec(told)?.[1] ?? "of an unknown version";
  } catch {
    return undefined;
  }
}
