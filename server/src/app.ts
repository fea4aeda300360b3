/** Builds all parts of the broker, joins them, and starts and stops them in the right order. Read this first. */
import type { Broker } from "./api/broker.ts";
import { sendDrain } from "./api/handlers/subscribe.ts";
import { createServices } from "./api/services.ts";
import type { Config } from "./config/schema.ts";
import { Dispatcher } from "./delivery/dispatcher.ts";
import { loadOf } from "./delivery/load.ts";
import { Puller } from "./delivery/puller.ts";
import { WorkerRegistry } from "./delivery/registry.ts";
import { Settler } from "./delivery/settler.ts";
import { GrpcServer } from "./grpc/server.ts";
import { type HttpParts, HttpServer } from "./http/server.ts";
import { Alarm } from "./maintenance/alarm.ts";
import { Chores } from "./maintenance/chores.ts";
import { Liveness } from "./maintenance/liveness.ts";
import type { Logger } from "./observe/logger.ts";
import { MetricsPage } from "./observe/metrics.ts";
import { History } from "./stats/history.ts";
import { LiveStats } from "./stats/live.ts";
import { MeasuredStore } from "./stats/measured-store.ts";
import { Measures } from "./stats/measures.ts";
import { takeReadings } from "./stats/readings.ts";
import { Sampler } from "./stats/sampler.ts";
import { CurrentSlot } from "./stats/slot.ts";
import { StoreClock } from "./stats/store-clock.ts";
import type { Store } from "./store/store.ts";

export interface Ports {
  readonly grpcPort: number;
  /** Undefined when HTTP is off. */
  readonly httpPort: number | undefined;
}

export interface App {
  /** Resolves with where it listens. */
  start(): Promise<Ports>;
  /** Drains, then closes. Safe to call twice. */
  stop(): Promise<void>;
}

/** How long a stopping broker waits for calls that are not worker streams. */
const CALLS_GRACE_MS = 1_000;
const DRAIN_CHECK_MS = 20;

export function createApp(config: Config, bareStore: Store, logger: Logger): App {
  const { store, measures, history, stats, sampler } = createMeasures(bareStore, logger);
  const settler = new Settler(store, logger);
  const { maxSessions, maxLost, brokerTimeoutMs, maxPayloadBytes, maxWindow, maxWindowBytes } = config;
  const dispatcher = new Dispatcher({ store, settler, logger, maxSessions, maxLost });
  const puller = new Puller(dispatcher, logger);
  const registry = new WorkerRegistry(store, dispatcher, logger);
  const alarm = new Alarm(store, logger);
  const liveness = new Liveness(store, brokerTimeoutMs, () => dispatcher.fence(), logger);
  const chores = new Chores({ store, alarm, liveness, brokerTimeoutMs, logger });
  const readDelivery = () => ({ ...loadOf(dispatcher.sessions), revokedOutcomes: settler.revokedOutcomes });
  const metrics = new MetricsPage(() => takeReadings(stats, measures, readDelivery));
  const limits = { maxPayloadBytes, maxWindow, maxWindowBytes };
  const broker: Broker = { store, dispatcher, settler, puller, registry, stats, history, logger, limits };
  const services = createServices(broker);
  const grpc = new GrpcServer(services, { ...config.grpcListen, maxPayloadBytes, logger });
  let grpcPort = config.grpcListen.port;
  const dashboard = () => ({ grpc: { host: config.grpcListen.host, port: grpcPort } });
  const http = createHttp(config, { services, metrics, logger, dashboard });
  let stopping: Promise<void> | undefined;
  const events = {
    ready: (queue: string) => dispatcher.wake(queue),
    scheduled: (queue: string, inMs: number) => alarm.set(queue, inMs),
    cancelled: dispatcher.cancelled.bind(dispatcher),
    // A broker that stops does not serve again, whatever its store does.
    available: (isAvailable: boolean) => {
      grpc.setServing(isAvailable && stopping === undefined);
      http?.setAvailable(isAvailable);
    },
  };

  const start = async () => {
    await store.start(events);
    for (const service of [dispatcher, puller, registry, alarm, chores, sampler]) await service.start();
    grpcPort = await grpc.start();
    const httpPort = await http?.start();
    grpc.setServing(true);
    logger.info({ store: store.description, durability: store.durability, brokerId: store.brokerId }, "store open");
    return { grpcPort, httpPort };
  };

  const stop = async () => {
    // Health first, so that balancers look elsewhere. Then the workers are asked to go, and settle what they hold.
    grpc.setServing(false);
    http?.drain();
    dispatcher.drain();
    puller.drain();
    for (const session of dispatcher.sessions) sendDrain(session, config.drainMs);
    const untilMs = performance.now() + config.drainMs;
    while (dispatcher.sessions.size > 0 && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
    // What is left is given back while the store is still open; and the settler finishes before it closes.
    for (const service of [puller, registry, dispatcher]) await service.stop();
    await Promise.all([grpc.stop(CALLS_GRACE_MS), http?.stop(CALLS_GRACE_MS)]);
    await settler.stop();
    for (const service of [sampler, chores, alarm]) await service.stop();
    await store.stop();
  };
  return { start, stop: () => (stopping ??= stop()) };
}

/** Everything goes through a store that counts; from there the numbers are taken. */
function createMeasures(bareStore: Store, logger: Logger) {
  const measures = new Measures();
  const clock = new StoreClock(bareStore);
  const store = new MeasuredStore(bareStore, measures, clock);
  const slot = new CurrentSlot(measures, clock);
  const history = new History(store, slot);
  const stats = new LiveStats(store, history);
  const sampler = new Sampler({ store, stats, slot, clock }, (err) => logger.debug({ err }, "sample not put"));
  return { store, measures, history, stats, sampler };
}

function createHttp(config: Config, parts: HttpParts): HttpServer | undefined {
  const {
    httpListen,
    httpAllowedHosts: allowedHosts,
    httpRequestTimeoutMs: requestTimeoutMs,
    maxPayloadBytes,
  } = config;
  if (httpListen === "off") return undefined;
  return new HttpServer(parts, { ...httpListen, allowedHosts, requestTimeoutMs, maxPayloadBytes });
}
