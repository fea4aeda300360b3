import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  QueueServiceDefinition,
  StatsServiceDefinition,
  TaskServiceDefinition,
  WorkerServiceDefinition,
} from "@taskwire/proto";
import type { Broker } from "../api/broker.ts";
import { awaitTask } from "../api/handlers/await-task.ts";
import { enqueue } from "../api/handlers/enqueue.ts";
import { enqueueBatch } from "../api/handlers/enqueue-batch.ts";
import { enqueueStream } from "../api/handlers/enqueue-stream.ts";
import { getTask } from "../api/handlers/get-task.ts";
import { listWorkers } from "../api/handlers/list-workers.ts";
import { pullTasks } from "../api/handlers/pull-tasks.ts";
import { getQueue, listQueues } from "../api/handlers/queues.ts";
import { settleTasks } from "../api/handlers/settle-tasks.ts";
import { getHistory, getStats, watchStats } from "../api/handlers/stats.ts";
import { subscribe } from "../api/handlers/subscribe.ts";
import { type Adapting, bidi, OpenCalls, serverStream, unary } from "./adapt.ts";
import { type GenericDefinition, toServiceDefinition } from "./definitions.ts";
import { Health } from "./health.ts";
import { addReflection } from "./reflection.ts";

/** The requests that their handlers read from the bytes. */
const RAW = new Set([
  "taskwire.v1.TaskService/Enqueue",
  "taskwire.v1.TaskService/EnqueueBatch",
  "taskwire.v1.TaskService/EnqueueStream",
  "taskwire.v1.WorkerService/Subscribe",
]);

/** What a batch or a frame may have beyond its largest payload. */
const MESSAGE_OVERHEAD_BYTES = 4 * 1024 * 1024;

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  readonly maxPayloadBytes: number;
}

/** The gRPC door. A plain grpc-js server: hot messages pass through it as ready bytes. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health: Health;
  readonly #calls = new OpenCalls();
  readonly #options: GrpcOptions;
  /** Where it listens, once it does. */
  #address = "";

  constructor(broker: Broker, options: GrpcOptions) {
    this.#options = options;
    this.#server = new Server({
      "grpc.max_receive_message_length": options.maxPayloadBytes + MESSAGE_OVERHEAD_BYTES,
      "grpc.max_concurrent_streams": 1_000,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.max_connection_idle_ms": 600_000,
      "grpc.enable_channelz": 0,
    });
    const services = implementations(broker, this.#calls);
    const names = services.map(([{ fullName }]) => fullName);
    for (const [definition, implementation] of services)
      this.#server.addService(toServiceDefinition(definition, RAW), implementation);
    this.#health = new Health(names);
    this.#health.addTo(this.#server);
    addReflection(this.#server, [...names, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]);
  }

  /** Listens; resolves with the port. */
  async start(): Promise<number> {
    const address = this.#addressOf(this.#options.port);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error)
          reject(
            new Error(
              `cannot listen on ${address}: ${error.message}; is another broker running there? TASKWIRE_GRPC_LISTEN sets another address`,
              { cause: error },
            ),
          );
        else {
          this.#address = this.#addressOf(bound);
          resolve(bound);
        }
      });
    });
  }

  #addressOf(port: number): string {
    const { host } = this.#options;
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  }

  setServing(serving: boolean): void {
    this.#health.set(serving);
  }

  /** Takes no new calls, gives those under way `graceMs` to end by themselves, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.#health.close();
    const ending = setTimeout(() => this.#calls.endAll(), graceMs);
    // A client that does not even take the end of its calls must not hold the broker up. (forceShutdown would not do: without
    // channelz, grpc-js does not know there which connections it has.)
    if (this.#address !== "") this.#server.drain(this.#address, 2 * graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(ending);
  }
}

function implementations(broker: Broker, calls: OpenCalls): [GenericDefinition, UntypedServiceImplementation][] {
  const reading: Adapting = { logger: broker.logger, calls, effect: "none" };
  const writing: Adapting = { ...reading, effect: "unknown" };
  return [
    [
      TaskServiceDefinition,
      {
        enqueue: unary(enqueue(broker), writing),
        enqueueBatch: unary(enqueueBatch(broker), writing),
        enqueueStream: bidi(enqueueStream(broker), writing),
        getTask: unary(getTask(broker), reading),
        awaitTask: unary(awaitTask(broker), reading),
      },
    ],
    [
      WorkerServiceDefinition,
      {
        subscribe: bidi(subscribe(broker), writing),
        pullTasks: unary(pullTasks(broker), writing),
        settleTasks: unary(settleTasks(broker), writing),
      },
    ],
    [
      StatsServiceDefinition,
      {
        getStats: unary(getStats(broker), reading),
        watchStats: serverStream(watchStats(broker), reading),
        getHistory: unary(getHistory(broker), reading),
        listWorkers: unary(listWorkers(broker), reading),
      },
    ],
    [
      QueueServiceDefinition,
      {
        listQueues: unary(listQueues(broker), reading),
        getQueue: unary(getQueue(broker), reading),
      },
    ],
  ];
}
