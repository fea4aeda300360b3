/** A real Prometheus on a free port of the loopback, and promtool, which comes with it. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { testProcess } from "./children.ts";
import { freePort } from "./redis.ts";
import { untilWorks } from "./until.ts";

/** Whether it is installed, as `npm test` does it where it can. */
export const hasPrometheus = isInstalled("prometheus") && isInstalled("promtool");

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
}

export interface PrometheusServer {
  /** What an expression is now. Throws with what Prometheus says when it is not one. */
  query(expression: string): Promise<readonly Series[]>;
  /** The alerts, as Prometheus evaluates them. */
  rules(): Promise<readonly Rule[]>;
  /** Ends it and deletes its data. */
  destroy(): Promise<void>;
}

/** Starts one that looks at `targets` every second, under the job's name that the alerts expect. */
export async function startPrometheus(targets: readonly string[], ruleFile: string): Promise<PrometheusServer> {
  const dir = await mkdtemp(join(tmpdir(), "taskwire-prometheus-"));
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [ruleFile],
    scrape_configs: [{ job_name: "taskwire", static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  await writeFile(join(dir, "prometheus.yaml"), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const flags = {
    "config.file": join(dir, "prometheus.yaml"),
    "storage.tsdb.path": dir,
    "web.listen-address": address,
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn("prometheus", [...args, "--log.level=error"], { stdio: ["ignore", "inherit", "inherit"] });
  const server = testProcess(child);
  const ask = async (path: string) => {
    const response = await fetch(`http://${address}${path}`);
    // An answer of the API, as documented; a wrong expression is told in it as well.
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  await untilWorks("Prometheus is ready", () => ask("/api/v1/status/buildinfo"), { withinMs: 30_000, everyMs: 100 });
  return {
    query: async (expression) => {
      const data = await ask(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      return (data as { result: Series[] }).result;
    },
    rules: async () => {
      const data = await ask("/api/v1/rules");
      return (data as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
    },
    destroy: async () => {
      await server.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Runs promtool; throws with what it says when it is not content. */
export async function promtool(...args: string[]): Promise<void> {
  try {
    await promisify(execFile)("promtool", args);
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}
