import type { Hello, Window as WindowMessage } from "@taskwire/proto";
import type { WorkerProfile } from "../../delivery/session.ts";
import type { Window } from "../../delivery/window.ts";
import { LIMITS } from "../../domain/limits.ts";
import type { BrokerLimits } from "../broker.ts";
import { Fields } from "./fields.ts";

export interface ParsedHello {
  readonly profile: WorkerProfile;
  readonly window: Window;
  readonly sessionTimeoutMs: number;
  /** What was changed, in words. */
  readonly notices: readonly string[];
}

/** @throws INVALID_ARGUMENT */
export function parseHello(hello: Hello, limits: BrokerLimits): ParsedHello {
  const fields = new Fields();
  const { min, max, default: fallback } = LIMITS.sessionTimeoutMs;
  const profile: WorkerProfile = {
    workerId: fields.name("hello.worker_id", hello.workerId),
    host: fields.length("hello.host", hello.host, LIMITS.nameLength),
    sdk: fields.length("hello.sdk", hello.sdk, LIMITS.nameLength),
    labels: parseLabels(hello, fields),
    concurrency: hello.concurrency,
    queues: parseQueues(hello, fields),
  };
  const sessionTimeoutMs = fields.durationMs("hello.session_timeout", hello.sessionTimeout, { min, max, fallback });
  if (!hello.window) fields.wrong("hello.window", "is required");
  fields.check();
  const { window, notices } = clampWindow(hello.window, limits);
  return { profile, window, sessionTimeoutMs, notices };
}

/** The window in force, and a sentence for each number that was too large. */
export function clampWindow(
  asked: WindowMessage | undefined,
  { maxWindow, maxWindowBytes }: BrokerLimits,
): { window: Window; notices: string[] } {
  const { maxInFlight, maxInFlightBytes } = asked ?? { maxInFlight: 0, maxInFlightBytes: 0 };
  const notices: string[] = [];
  if (maxInFlight > maxWindow) notices.push(`window.max_in_flight ${maxInFlight} clamped to ${maxWindow}`);
  if (maxInFlightBytes > maxWindowBytes)
    notices.push(`window.max_in_flight_bytes ${maxInFlightBytes} clamped to ${maxWindowBytes}`);
  const window = {
    maxTasks: Math.min(maxInFlight, maxWindow),
    maxBytes: maxInFlightBytes === 0 ? maxWindowBytes : Math.min(maxInFlightBytes, maxWindowBytes),
  };
  return { window, notices };
}

function parseLabels({ labels }: Hello, fields: Fields): Record<string, string> {
  const entries = Object.entries(labels);
  fields.count("hello.labels", entries.length, LIMITS.labels);
  for (const [name, value] of entries) {
    fields.length("hello.labels", name, LIMITS.labelLength);
    fields.length("hello.labels", value, LIMITS.labelLength);
  }
  return labels;
}

function parseQueues({ queues }: Hello, fields: Fields): WorkerProfile["queues"] {
  if (queues.length === 0) fields.wrong("hello.queues", "is empty; name at least one queue");
  fields.count("hello.queues", queues.length, LIMITS.queuesPerSession);
  const names = new Set<string>();
  return queues.map(({ queue, maxInFlight, types }, i) => {
    fields.name(`hello.queues[${i}].queue`, queue);
    if (names.has(queue)) fields.wrong(`hello.queues[${i}].queue`, `is ${JSON.stringify(queue)} for the second time`);
    names.add(queue);
    fields.count(`hello.queues[${i}].types`, types.length, LIMITS.typesPerQueue);
    for (const [j, type] of types.entries()) fields.type(`hello.queues[${i}].types[${j}]`, type);
    return { queue, maxInFlight, types };
  });
}
