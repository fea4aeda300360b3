/** A broker as its users run it: a process of its own, started from what was built. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type TestProcess, testProcess } from "./children.ts";
import { until } from "./until.ts";

const PROGRAM = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));

/** Settings by their names in TypeScript, such as `redisUrl`. By default it listens on free ports, and at once. */
export type BrokerSettings = Readonly<Record<string, string | number>>;

/** A line of its log. */
export interface LogLine {
  readonly level: number | string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface BrokerProcess extends TestProcess {
  /** `host:port` of its gRPC door. */
  readonly address: string;
  /** `host:port` of its HTTP door. */
  readonly httpAddress: string;
  /** What it has logged so far. */
  readonly log: readonly LogLine[];
}

/** Resolves once it serves. */
export async function startBroker(settings: BrokerSettings): Promise<BrokerProcess> {
  const defaults = { grpcListen: "127.0.0.1:0", httpListen: "127.0.0.1:0", warmUp: "false" };
  const flags = Object.entries({ ...defaults, ...settings }).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TASKWIRE_")));
  const child = spawn(process.execPath, [PROGRAM, ...flags], { env, stdio: ["ignore", "pipe", "pipe"] });
  const broker = testProcess(child);

  const log: LogLine[] = [];
  let other = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) log.push(JSON.parse(line) as LogLine);
    else other += `${line}\n`;
  });
  child.stderr.on("data", (chunk: Buffer) => (other += chunk.toString()));
  const ready = await until(
    () => `the broker is ready: ${other}${JSON.stringify(log)}`,
    () => {
      if (!broker.isRunning()) throw new Error(`the broker has ended: ${other}${JSON.stringify(log)}`);
      return log.find(({ msg }) => msg === "broker ready");
    },
    { withinMs: 20_000 },
  );
  return { ...broker, address: String(ready["grpc"]), httpAddress: String(ready["http"]), log };
}
