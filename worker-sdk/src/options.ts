import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { parseAddress } from "@taskwire/client/connection";
import { type Logger, pino } from "pino";
import { checkMs } from "./wire-time.ts";

/** What a worker can be told. Everything has a default. */
export interface WorkerOptions {
  /**
   * `host:port` of a broker, or of several: the worker is connected to one of them, and goes to the next when it is lost.
   * @defaultValue "127.0.0.1:50051"
   */
  readonly address?: string | readonly string[];
  /**
   * The queues to take tasks from.
   * @defaultValue the queue of each handled type, which is the type with `/` as a dot
   */
  readonly queues?: readonly string[];
  /**
   * How many handlers run at a time.
   * @defaultValue 10
   */
  readonly concurrency?: number;
  /**
   * How many tasks may wait here for a free slot. More than 0 makes sense for handlers that take less time than a round
   * trip to the broker; otherwise such a task only keeps an idle worker from doing it.
   * @defaultValue 0
   */
  readonly prefetch?: number;
  /**
   * How many bytes of payloads and headers the worker may hold.
   * @defaultValue 0, which is the broker's own limit
   */
  readonly maxInFlightBytes?: number;
  /**
   * What operators see of this worker, such as a version. At most 32.
   * @defaultValue none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Names the worker, in 1 to 128 of A-Z a-z 0-9 . _ and -. Must be unique.
   * @defaultValue the host's name, a dash and 8 random hex digits
   */
  readonly workerId?: string;
  /**
   * How long broker and worker may hear nothing of each other before they give each other up, in ms.
   * @defaultValue 30,000
   */
  readonly sessionTimeoutMs?: number;
  /**
   * How long running handlers may take after the worker was told to stop, in ms. What runs longer goes back to the
   * queue.
   * @defaultValue 25,000: less than the 30 s of Kubernetes
   */
  readonly shutdownMs?: number;
  /**
   * Whether `run` stops at SIGINT and SIGTERM.
   * @defaultValue true
   */
  readonly signals?: boolean;
  /**
   * From which length on a blocked event loop is worth a warning, in ms.
   * @defaultValue 1,000
   */
  readonly blockWarnMs?: number;
  /**
   * Where to log.
   * @defaultValue pino at level info, on standard output
   */
  readonly logger?: Logger;
}

/** The same, complete and checked. */
export interface ResolvedOptions {
  readonly addresses: readonly string[];
  readonly queues: readonly string[] | undefined;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly maxInFlightBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly workerId: string;
  readonly host: string;
  readonly sessionTimeoutMs: number;
  readonly shutdownMs: number;
  readonly signals: boolean;
  readonly blockWarnMs: number;
  readonly log: Logger;
}

const NAME_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
/** A window above this is never useful, and is clamped by the broker anyway. */
const MAX_CONCURRENCY = 100_000;

/**
 * @throws TypeError or RangeError that names the option which is wrong
 */
export function resolveOptions(options: WorkerOptions): ResolvedOptions {
  const { address = "127.0.0.1:50051", queues, labels = {}, signals = true, logger } = options;
  const addresses = (Array.isArray(address) ? address : [address]).map(parseAddress);
  if (addresses.length === 0) throw new TypeError("address must name at least one broker");
  if (queues?.length === 0) throw new TypeError("queues must name at least one queue, or be left out");
  for (const queue of queues ?? []) checkName("queues", queue);
  const host = hostname().replaceAll(/[^A-Za-z0-9._-]/g, "-") || "localhost";
  const workerId = checkName("workerId", options.workerId ?? `${host.slice(0, 100)}-${randomBytes(4).toString("hex")}`);
  return {
    addresses,
    queues: queues && [...new Set(queues)],
    concurrency: checkCount("concurrency", options.concurrency ?? 10, 1),
    prefetch: checkCount("prefetch", options.prefetch ?? 0, 0),
    maxInFlightBytes: checkCount("maxInFlightBytes", options.maxInFlightBytes ?? 0, 0, Number.MAX_SAFE_INTEGER),
    labels,
    workerId,
    host,
    sessionTimeoutMs: checkMs("sessionTimeoutMs", options.sessionTimeoutMs ?? 30_000, { min: 1_000, max: 300_000 }),
    shutdownMs: checkMs("shutdownMs", options.shutdownMs ?? 25_000, { max: 24 * 60 * 60 * 1_000 }),
    signals,
    blockWarnMs: checkMs("blockWarnMs", options.blockWarnMs ?? 1_000, { min: 20 }),
    log: (logger ?? pino({ level: "info" })).child({ workerId }),
  };
}

function checkName(option: string, name: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new TypeError(`${option}: ${JSON.stringify(name)} must be 1 to 128 of A-Z a-z 0-9 . _ and -`);
}

function checkCount(option: string, count: number, min: number, max = MAX_CONCURRENCY): number {
  if (Number.isInteger(count) && count >= min && count <= max) return count;
  throw new RangeError(`${option} must be a whole number from ${min} to ${max}, not ${String(count)}`);
}
