/**
 * Every RPC of the broker, for whichever door it comes through: which handler answers it, how it wants its request, and what
 * is known of a call that is ended early. A door serves what stands here, so a new RPC is one line.
 */
import {
  QueueServiceDefinition,
  StatsServiceDefinition,
  TaskServiceDefinition,
  WorkerServiceDefinition,
} from "@taskwire/proto";
import type { Broker } from "./broker.ts";
import type { BidiHandler, ServerStreamHandler, UnaryHandler } from "./call.ts";
import type { GenericDefinition } from "./definition.ts";
import { awaitTask } from "./handlers/await-task.ts";
import { cancelTask } from "./handlers/cancel-task.ts";
import { deleteTasks, listFailures, reviveTasks } from "./handlers/dead-tasks.ts";
import { enqueue } from "./handlers/enqueue.ts";
import { enqueueBatch } from "./handlers/enqueue-batch.ts";
import { enqueueStream } from "./handlers/enqueue-stream.ts";
import { getTask } from "./handlers/get-task.ts";
import { listTasks } from "./handlers/list-tasks.ts";
import { listWorkers } from "./handlers/list-workers.ts";
import { pullTasks } from "./handlers/pull-tasks.ts";
import { getQueue, listQueues } from "./handlers/queues.ts";
import { settleTasks } from "./handlers/settle-tasks.ts";
import { getStats, watchStats } from "./handlers/stats.ts";
import { pauseQueue, resumeQueue, updateQueue } from "./handlers/steer-queue.ts";
import { subscribe } from "./handlers/subscribe.ts";

/** A request as its definition decodes it, which is what its handler takes: the doors need not know more of it. */
// biome-ignore lint/suspicious/noExplicitAny: each handler has a type of its own
type Decoded = any;

/** One RPC. Requests and responses are of the types in its definition; a response may also be given as encoded bytes. */
export type Rpc = UnaryRpc | ServerStreamRpc | BidiRpc;

export interface UnaryRpc {
  readonly kind: "unary";
  readonly handler: UnaryHandler<Decoded, unknown>;
  /** Whether the handler takes the encoded request as it came. */
  readonly takesBytes: boolean;
  /** What is known of a call that is ended before its handler is done. */
  readonly effect: "none" | "unknown";
}

export interface ServerStreamRpc {
  readonly kind: "serverStream";
  readonly handler: ServerStreamHandler<Decoded, unknown>;
}

/** Its frames are bytes both ways. */
export interface BidiRpc {
  readonly kind: "bidi";
  readonly handler: BidiHandler;
}

export interface Service {
  readonly definition: GenericDefinition;
  /** By the names that the methods have in the definition. */
  readonly rpcs: Readonly<Record<string, Rpc>>;
}

export function createServices(broker: Broker): readonly Service[] {
  return [
    service(TaskServiceDefinition, {
      enqueue: writesBytes(enqueue(broker)),
      enqueueBatch: writesBytes(enqueueBatch(broker)),
      enqueueStream: frames(enqueueStream(broker)),
      getTask: reads(getTask(broker)),
      awaitTask: reads(awaitTask(broker)),
      listTasks: reads(listTasks(broker)),
      cancelTask: writes(cancelTask(broker)),
      reviveTasks: writes(reviveTasks(broker)),
      deleteTasks: writes(deleteTasks(broker)),
      listFailures: reads(listFailures(broker)),
    }),
    service(WorkerServiceDefinition, {
      subscribe: frames(subscribe(broker)),
      pullTasks: writes(pullTasks(broker)),
      settleTasks: writes(settleTasks(broker)),
    }),
    service(StatsServiceDefinition, {
      getStats: reads(getStats(broker)),
      watchStats: watches(watchStats(broker)),
      listWorkers: reads(listWorkers(broker)),
    }),
    service(QueueServiceDefinition, {
      listQueues: reads(listQueues(broker)),
      getQueue: reads(getQueue(broker)),
      pauseQueue: writes(pauseQueue(broker)),
      resumeQueue: writes(resumeQueue(broker)),
      updateQueue: writes(updateQueue(broker)),
    }),
  ];
}

/** Every method of the definition must have its RPC. */
function service<Definition extends GenericDefinition>(
  definition: Definition,
  rpcs: Readonly<Record<keyof Definition["methods"] & string, Rpc>>,
): Service {
  return { definition, rpcs };
}

/** A call that changes nothing. */
function reads(handler: UnaryHandler<Decoded, unknown>): Rpc {
  return { kind: "unary", handler, takesBytes: false, effect: "none" };
}

/** A call that changes something. */
function writes(handler: UnaryHandler<Decoded, unknown>): Rpc {
  return { kind: "unary", handler, takesBytes: false, effect: "unknown" };
}

/** The same, where decoding would cost too much: the handler reads what it needs from the bytes. */
function writesBytes(handler: UnaryHandler<Buffer, unknown>): Rpc {
  return { kind: "unary", handler, takesBytes: true, effect: "unknown" };
}

/** A stream of responses. It changes nothing. */
function watches(handler: ServerStreamHandler<Decoded, unknown>): Rpc {
  return { kind: "serverStream", handler };
}

function frames(handler: BidiHandler): Rpc {
  return { kind: "bidi", handler };
}
