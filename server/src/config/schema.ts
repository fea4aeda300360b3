/** Every setting of the broker. Environment names and flags are derived from the names here: see load.ts. */
import { z } from "zod";

/** Where to listen. Port 0 picks a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An address such as 127.0.0.1:50051 or [::1]:0. */
const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "must be host:port, such as 127.0.0.1:50051")
  .transform(toAddress);

const addressOrOff = z
  .string()
  .regex(/^(off|(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5})$/, "must be host:port, such as 127.0.0.1:8080, or off")
  .transform((text) => (text === "off" ? text : toAddress(text)));

function toAddress(text: string): Address {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

const hostNames = z
  .string()
  .regex(/^[A-Za-z0-9.:,[\]-]*$/, "must be names of hosts without ports, separated by commas")
  .transform((text) => text.split(",").filter((name) => name !== ""));

const count = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

const flag = (fallback: boolean) => z.stringbool().or(z.boolean()).default(fallback);

export const configSchema = z.strictObject({
  store: z
    .enum(["embedded", "redis"])
    .default("embedded")
    .describe("Where tasks are kept: embedded needs nothing installed; redis lets several brokers share them."),
  dataDir: z
    .string()
    .min(1)
    .default(".taskwire")
    .describe("The folder of the embedded store. One broker at a time may use it."),
  redisUrl: z
    .string()
    .regex(
      /^(rediss?|redis\+cluster|redis\+sentinel):\/\/.+/,
      "must start with redis://, rediss://, redis+cluster:// or redis+sentinel://",
    )
    .default("redis://127.0.0.1:6379")
    .describe(
      "redis://host:port/db, rediss:// for TLS, redis+cluster://host:port,host:port, or redis+sentinel://host:port,host:port/master.",
    ),
  namespace: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 . _ -")
    .default("taskwire")
    .describe("Prefix of every key in Redis: brokers with the same one share their queues."),
  grpcListen: address.prefault("127.0.0.1:50051").describe("Where gRPC is served."),
  httpListen: addressOrOff
    .prefault("127.0.0.1:8080")
    .describe("Where HTTP is served: the RPCs as JSON, health, numbers. off: nowhere."),
  httpAllowedHosts: hostNames
    .prefault("")
    .describe(
      "Names by which HTTP may be called, besides localhost and the one it listens on: those of a proxy in front. Separated by commas.",
    ),
  httpRequestTimeoutMs: count(30_000, 100, 10 * 60 * 1000).describe(
    "How long the body of an HTTP request may take to come.",
  ),
  insecure: flag(false).describe("Serve plaintext beyond loopback. Only inside a network that you trust."),
  requireDurability: z
    .enum(["volatile", "async", "fsync", "replicated"])
    .default("volatile")
    .describe("Refuse to start on a store that promises less."),
  minReplicas: count(0, 0, 16).describe(
    "Redis: wait until this many replicas have a write before answering. 1 or more makes the level replicated, unless redis keeps no append-only file.",
  ),
  maxPayloadBytes: count(1024 * 1024, 1, 64 * 1024 * 1024).describe(
    "The largest payload of one task, and the largest result.",
  ),
  maxQueues: count(10_000, 1, 1_000_000).describe("How many queues there may be."),
  maxSessions: count(5_000, 1, 1_000_000).describe("How many workers this broker serves at a time."),
  maxWindow: count(10_000, 1, 1_000_000).describe("How many tasks one session may hold; a larger window is clamped."),
  maxWindowBytes: count(64 * 1024 * 1024, 1, 2 ** 40).describe(
    "How many bytes of tasks one session may hold; a larger window is clamped.",
  ),
  maxLost: count(5, 0, 1_000).describe(
    "A task whose deliveries were lost more often than this with their workers is dead: it may be what kills them.",
  ),
  resultTtlMs: count(24 * 60 * 60 * 1000, 1_000, 10 * 365 * 24 * 60 * 60 * 1000).describe("How long results are kept."),
  maxResultsPerQueue: count(1_000_000, 0, 1_000_000_000).describe("How many results of one queue are kept."),
  deadTtlMs: count(90 * 24 * 60 * 60 * 1000, 1_000, 10 * 365 * 24 * 60 * 60 * 1000).describe(
    "How long dead tasks are kept.",
  ),
  maxDeadPerQueue: count(100_000, 0, 100_000_000).describe(
    "How many dead tasks of one queue are kept; the oldest are dropped, and counted.",
  ),
  brokerTimeoutMs: count(1_500, 500, 60_000).describe(
    "Redis: how long a broker may be silent before the others take over its leases.",
  ),
  drainMs: count(25_000, 0, 10 * 60 * 1000).describe(
    "How long a stopping broker waits for its workers to settle what they hold.",
  ),
  warmUp: flag(true).describe(
    "Practise on a scratch store before serving, so that the first tasks are as fast as later ones. Takes half a second.",
  ),
  logLevel: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("The least important message that is logged."),
});

export type Config = Readonly<z.output<typeof configSchema>>;
