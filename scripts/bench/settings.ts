/** What the command line can ask of the benchmark, and how large each measurement is. */
import { parseArgs } from "node:util";
import type { PayloadKind } from "../../test/load/protocol.ts";

export const ROW_NAMES = [
  "queue",
  "end-to-end",
  "latency",
  "backlog",
  "delayed",
  "windows",
  "redelivery",
  "load-test",
  "doors",
  "connect",
  "list",
  "revive",
  "first-view",
] as const;
export type RowName = (typeof ROW_NAMES)[number];

export const SYSTEM_NAMES = ["redis-everysec", "redis-always", "embedded", "bullmq"] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

export const HELP = `npm run bench -- [options]

Measures Taskwire and BullMQ side by side and prints one table; see docs/benchmarks.md.

  --only <row>                   only this row; may be repeated: ${ROW_NAMES.slice(0, 6).join(", ")},
                                 ${ROW_NAMES.slice(6).join(", ")}
  --system <name>                only this system; may be repeated: ${SYSTEM_NAMES.join(", ")}
  --runs <number>                how often each is measured [3]
  --quick                        small and once: to see that it runs, not to be quoted
  --queued <number>              tasks that stand in a full queue [1000000]
  --payload <bytes|json>         what a task carries [bytes]
  --concurrency <number>         of the worker of Taskwire [1000]
  --bullmq-concurrency <number>  of the worker of BullMQ [100]
  --profile <system>             where broker and worker spend their time, instead; may be repeated
  --write                        put what was found into docs/benchmarks.md
  --help                         this text

Example: npm run bench -- --only latency --system redis-everysec --runs 5
`;

export interface Settings {
  readonly runs: number;
  readonly rows: readonly RowName[];
  readonly systems: readonly SystemName[];
  readonly payload: PayloadKind;
  readonly concurrency: { readonly taskwire: number; readonly bullmq: number };
  readonly sizes: Sizes;
  readonly isQuick: boolean;
  /** Whether docs/benchmarks.md gets what was found. */
  readonly isWritten: boolean;
  /** When there are any, nothing is measured: it shows where the time of these systems goes. */
  readonly profiled: readonly SystemName[];
}

/** How many tasks each measurement takes. A system that is ten times slower gets fewer, so that it takes as long. */
export interface Sizes {
  readonly single: number;
  readonly bulk: number;
  readonly queued: number;
  readonly latencySeconds: number;
  readonly dueAtOnce: number;
  readonly dueOneByOne: number;
  readonly windowSeconds: number;
  readonly rounds: number;
  readonly loadTest: number;
  /** Each of the runs with and without visitors. */
  readonly visited: number;
  readonly webCalls: number;
  readonly listCalls: number;
  readonly dead: number;
  readonly revivals: number;
  readonly views: number;
}

const FULL: Sizes = {
  single: 200_000,
  bulk: 200_000,
  queued: 1_000_000,
  latencySeconds: 5,
  dueAtOnce: 20_000,
  dueOneByOne: 1_000,
  windowSeconds: 8,
  rounds: 10,
  loadTest: 100_000,
  visited: 400_000,
  webCalls: 30_000,
  listCalls: 100,
  dead: 100_000,
  revivals: 3,
  views: 20,
};

const QUICK: Sizes = {
  single: 10_000,
  bulk: 20_000,
  queued: 50_000,
  latencySeconds: 1,
  dueAtOnce: 2_000,
  dueOneByOne: 200,
  windowSeconds: 2,
  rounds: 2,
  loadTest: 5_000,
  visited: 20_000,
  webCalls: 3_000,
  listCalls: 20,
  dead: 5_000,
  revivals: 2,
  views: 5,
};

/** Throws with a sentence for people when the command line makes no sense. */
export function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      system: { type: "string", multiple: true },
      queued: { type: "string" },
      payload: { type: "string", default: "bytes" },
      concurrency: { type: "string", default: "1000" },
      "bullmq-concurrency": { type: "string", default: "100" },
      write: { type: "boolean", default: false },
      profile: { type: "string", multiple: true, default: [] },
    },
  });
  const sizes = values.quick ? QUICK : FULL;
  return {
    runs: count("--runs", values.runs ?? (values.quick ? "1" : "3")),
    rows: (values.only ?? ROW_NAMES).map((name) => oneOf("--only", ROW_NAMES, name)),
    systems: (values.system ?? SYSTEM_NAMES).map((name) => oneOf("--system", SYSTEM_NAMES, name)),
    payload: oneOf("--payload", ["bytes", "json"] as const, values.payload),
    concurrency: {
      taskwire: count("--concurrency", values.concurrency),
      bullmq: count("--bullmq-concurrency", values["bullmq-concurrency"]),
    },
    sizes: values.queued ? { ...sizes, queued: count("--queued", values.queued) } : sizes,
    isQuick: values.quick,
    isWritten: values.write,
    profiled: values.profile.map((name) => oneOf("--profile", SYSTEM_NAMES, name)),
  };
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${option} is ${text}: it must be a whole number above 0`);
}

function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const name = names.find((name) => name === text);
  if (name !== undefined) return name;
  throw new Error(`${option} is ${text}: it must be one of ${names.join(", ")}`);
}
