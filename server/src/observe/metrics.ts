/**
 * Every metric of a broker, in one table; docs/reference/metrics.md is made from it. How each is read is in stats/readings.ts:
 * nothing is computed until somebody asks.
 */
import { collectDefaultMetrics, type Metric, Registry } from "prom-client";

/**
 * What a value is about. Of "broker": what this one did or holds, so sum over brokers. Of "all": the whole installation, as the
 * store has it; each broker tells the same, so take the maximum over brokers.
 */
export type Scope = "broker" | "all";

interface Definition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly scope: Scope;
  readonly labels: readonly string[];
  /** One sentence, without its full stop. */
  readonly help: string;
}

export const METRICS = {
  taskwire_tasks_enqueued_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue", "type"],
    help: "Tasks that were accepted",
  },
  taskwire_tasks_dequeued_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Deliveries to workers; a task that is tried again is delivered again",
  },
  taskwire_tasks_completed_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Tasks that completed",
  },
  taskwire_tasks_failed_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Attempts that failed or timed out, whatever followed",
  },
  taskwire_tasks_retried_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Failed attempts that are followed by another one",
  },
  taskwire_tasks_dead_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Tasks that died: the last retry failed, the handler gave up, or too many workers were lost with it",
  },
  taskwire_tasks_cancelled_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Tasks that were cancelled, or discarded by their handlers",
  },
  taskwire_tasks_lost_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Deliveries that ended because the worker's stream broke",
  },
  taskwire_tasks_reaped_total: {
    type: "counter",
    scope: "broker",
    labels: [],
    help: "Tasks that this broker gave back to their queues because the broker that had delivered them is dead",
  },
  taskwire_tasks_revived_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Dead tasks that were revived",
  },
  taskwire_tasks_deleted_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Dead tasks that were deleted by request",
  },
  taskwire_tasks_dropped_total: {
    type: "counter",
    scope: "all",
    labels: ["queue"],
    help: "Dead tasks that were dropped because there were too many or they were too old",
  },
  taskwire_tasks_rate_limited_total: {
    type: "counter",
    scope: "broker",
    labels: ["queue"],
    help: "Tasks that were refused because their queue takes tasks at a limited rate",
  },
  taskwire_settles_stale_total: {
    type: "counter",
    scope: "broker",
    labels: [],
    help: "Outcomes that came too late to count: the task had timed out, was cancelled, or was given to another worker",
  },
  taskwire_task_wait_seconds: {
    type: "histogram",
    scope: "broker",
    labels: ["queue"],
    help: "From enqueue to the first delivery, of tasks that had neither delay, priority nor an id of the caller",
  },
  taskwire_task_run_seconds: {
    type: "histogram",
    scope: "broker",
    labels: ["queue"],
    help: "From delivery to the outcome, of attempts that completed or failed",
  },
  taskwire_task_end_to_end_seconds: {
    type: "histogram",
    scope: "broker",
    labels: ["queue"],
    help: "From enqueue to completion, with all delays and retries between",
  },
  taskwire_queue_tasks: {
    type: "gauge",
    scope: "all",
    labels: ["queue", "state"],
    help: "Tasks that have not ended, and dead ones: state is scheduled, ready, active or dead",
  },
  taskwire_queue_oldest_ready_seconds: {
    type: "gauge",
    scope: "all",
    labels: ["queue"],
    help: "For how long the longest-waiting task has been ready; 0 when none is",
  },
  taskwire_queue_paused: {
    type: "gauge",
    scope: "all",
    labels: ["queue"],
    help: "1 while the queue is paused",
  },
  taskwire_queue_workers: {
    type: "gauge",
    scope: "all",
    labels: ["queue"],
    help: "Workers that take tasks from the queue",
  },
  taskwire_workers: {
    type: "gauge",
    scope: "all",
    labels: [],
    help: "Workers that are connected to any broker",
  },
  taskwire_brokers: {
    type: "gauge",
    scope: "all",
    labels: [],
    help: "Brokers that are alive",
  },
  taskwire_sessions: {
    type: "gauge",
    scope: "broker",
    labels: [],
    help: "Streams of workers, and pulls that are not over",
  },
  taskwire_window_tasks: {
    type: "gauge",
    scope: "broker",
    labels: [],
    help: "Tasks that the sessions may hold together: the sum of their windows",
  },
  taskwire_held_tasks: {
    type: "gauge",
    scope: "broker",
    labels: [],
    help: "Tasks that the sessions hold: delivered, and not settled",
  },
  taskwire_store_up: {
    type: "gauge",
    scope: "broker",
    labels: [],
    help: "1 when the store answered this request for metrics, 0 when it did not: what is about all brokers is missing then",
  },
  taskwire_store_used_bytes: {
    type: "gauge",
    scope: "all",
    labels: [],
    help: "What the store uses: memory on Redis, the file of the embedded store",
  },
  taskwire_store_call_seconds: {
    type: "histogram",
    scope: "broker",
    labels: ["verb"],
    help: "How long the store took to answer, by what it was asked; of enqueue, claim and settle one call in 8 is timed, and counts as 8",
  },
  taskwire_store_errors_total: {
    type: "counter",
    scope: "broker",
    labels: ["verb", "code"],
    help: "Calls that the store failed; STORE_UNAVAILABLE, STORE_FULL or BUG",
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof METRICS;

/** One value of a metric. A histogram has several, whose names say which. */
export interface Value {
  /** Only when it is not the name of the metric. */
  readonly metricName?: string;
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The values of all metrics at one moment. */
export type Readings = Readonly<Record<MetricName, readonly Value[]>>;

/** The page that Prometheus asks for. */
export class MetricsPage {
  readonly #read: () => Promise<Readings>;
  #registry: Registry | undefined;
  #readings: Readings | undefined;

  constructor(read: () => Promise<Readings>) {
    this.#read = read;
  }

  get contentType(): string {
    return Registry.PROMETHEUS_CONTENT_TYPE;
  }

  async text(): Promise<string> {
    // A broker that nobody asks pays for no histogram of its event loop and no observer of its garbage collector.
    this.#registry ??= this.#makeRegistry();
    this.#readings = await this.#read();
    return this.#registry.metrics();
  }

  #makeRegistry(): Registry {
    const registry = new Registry();
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      // The library's own metrics keep their values; these are read. It asks of a metric no more than this.
      const metric = {
        name,
        help,
        type,
        get: async () => ({ name, help, type, values: this.#readings?.[name as MetricName] ?? [] }),
      };
      registry.registerMetric(metric as unknown as Metric);
    }
    collectDefaultMetrics({ register: registry });
    return registry;
  }
}
