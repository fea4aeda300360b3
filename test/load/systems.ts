/** Which sender and taker a measured system has. */
import { bullmqSender } from "./bullmq-sender.ts";
import { startBullmqWorker } from "./bullmq-taker.ts";
import type { PayloadKind, Target } from "./protocol.ts";
import type { Sender } from "./sender.ts";
import type { Subscription, Taker } from "./taker.ts";
import { taskwireSender } from "./taskwire-sender.ts";
import { startTaskwireWorker } from "./taskwire-taker.ts";

export function createSender(target: Target, payload: PayloadKind): Sender {
  return target.kind === "taskwire" ? taskwireSender(target.addresses, payload) : bullmqSender(target.redisPort);
}

/** Resolves once the worker can take tasks. */
export function startTaker(target: Target, subscription: Subscription): Promise<Taker> {
  return target.kind === "taskwire"
    ? startTaskwireWorker(target.addresses, subscription)
    : startBullmqWorker(target.redisPort, subscription);
}
