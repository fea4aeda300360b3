import type {
  EnqueueRate as EnqueueRateMessage,
  PauseQueueRequest,
  PauseQueueResponse,
  ResumeQueueRequest,
  ResumeQueueResponse,
  UpdateQueueRequest,
  UpdateQueueResponse,
} from "@taskwire/proto";
import { LIMITS } from "../../domain/limits.ts";
import type { EnqueueRate, QueuePolicy, Store } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { Fields } from "../parse/fields.ts";
import { presentQueue } from "./stats.ts";

export function pauseQueue({ store }: Broker): UnaryHandler<PauseQueueRequest, PauseQueueResponse> {
  return ({ queue }) => steer(store, queue, { paused: true });
}

export function resumeQueue({ store }: Broker): UnaryHandler<ResumeQueueRequest, ResumeQueueResponse> {
  return ({ queue }) => steer(store, queue, { paused: false });
}

export function updateQueue({ store }: Broker): UnaryHandler<UpdateQueueRequest, UpdateQueueResponse> {
  return async ({ queue, enqueueRate }) => {
    const fields = new Fields();
    const rate = enqueueRate && parseRate(enqueueRate, fields);
    return steer(store, queue, { enqueueRate: rate }, fields);
  };
}

async function steer(store: Store, queue: string, change: Partial<QueuePolicy>, fields = new Fields()) {
  fields.name("queue", queue);
  fields.check();
  await store.steer(queue, change);
  const [stats] = await store.stats([queue]);
  return { queue: stats && presentQueue(stats) };
}

function parseRate({ perSecond, burst }: EnqueueRateMessage, fields: Fields): EnqueueRate {
  const rate = fields.whole("enqueue_rate.per_second", perSecond, LIMITS.enqueueRate);
  if (burst === 0) return { perSecond: rate, burst: Math.max(1, Math.ceil(rate)) };
  return { perSecond: rate, burst: fields.whole("enqueue_rate.burst", burst, LIMITS.enqueueBurst) };
}
