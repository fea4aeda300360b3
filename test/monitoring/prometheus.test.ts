/** A real Prometheus looks at a broker that has work: every query of the dashboard has an answer, every alert can be evaluated. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Nack_Action as Action } from "@taskwire/proto";
import { expect } from "vitest";
import { type BrokerFixtures, onStore } from "../broker/broker-test.ts";
import { enqueueMany } from "../broker/tasks.ts";
import type { BrokerProcess } from "../support/broker.ts";
import { hasPrometheus, type PrometheusServer, startPrometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";

const RULES = fileURLToPath(new URL("../../docs/monitoring/alerts.yaml", import.meta.url));
const DASHBOARD = new URL("../../docs/monitoring/grafana-dashboard.json", import.meta.url);

/** What Grafana puts into a query before it asks, when every job and queue is chosen. */
const VARIABLES: Readonly<Record<string, string>> = { $__rate_interval: "1m", $job: ".+", $queue: ".+" };

const ROUNDS = 4;

onStore("embedded", (test) => {
  test.skipIf(!hasPrometheus)(
    "Prometheus has an answer to every query of the dashboard, and evaluates every alert",
    async ({ broker, rpc, queue, subscribe }) => {
      const prometheus = await startPrometheus([metricsAddress(broker)], RULES);
      try {
        // A counter that is there before its first task shows it as a rise.
        await enqueueMany(rpc, queue, 1);
        await untilScraped(prometheus, queue);
        for (let round = 0; round < ROUNDS; round++) await work({ rpc, queue, subscribe });
        await untilScraped(prometheus, queue);
        await untilScraped(prometheus, queue);

        await expectAnswers(prometheus);
        await expectRules(prometheus);
        await expectFigures(prometheus, queue);
      } finally {
        await prometheus.destroy();
      }
    },
    120_000,
  );
});

function metricsAddress({ log }: BrokerProcess): string {
  return String(log.find(({ msg }) => msg === "broker ready")?.["http"]);
}

/** Resolves once Prometheus has looked at the broker again, and knows the queue. */
async function untilScraped(prometheus: PrometheusServer, queue: string): Promise<void> {
  const lastScrape = async () => {
    const [series] = await prometheus.query(`timestamp(taskwire_queue_tasks{queue="${queue}", state="ready"})`);
    return Number(series?.value[1] ?? 0);
  };
  const before = await lastScrape();
  await until("Prometheus has looked again", async () => (await lastScrape()) > before, {
    withinMs: 20_000,
    everyMs: 200,
  });
}

/** Of ten tasks six complete, two are tried again later, one dies, and one is lost with its worker. */
async function work({ rpc, queue, subscribe }: Pick<BrokerFixtures, "rpc" | "queue" | "subscribe">): Promise<void> {
  await enqueueMany(rpc, queue, 10, { retry: { base: { seconds: 3_600 } } });
  const session = subscribe({ window: { maxInFlight: 10 } });
  const tags = (await session.untilDelivered(10)).map(({ tag }) => tag);
  session.send({ $case: "stopDelivery", value: {} });
  await session.next("deliveryStopped");
  const nack = (tag: number | undefined, action: Action) => ({
    tag: tag ?? 0,
    result: {
      $case: "nack" as const,
      value: { action, errorType: "E", errorMessage: "no", errorStack: "", retryDelay: undefined },
    },
  });
  await session.settle({
    ackTags: tags.slice(0, 6),
    outcomes: [nack(tags[6], Action.RETRY), nack(tags[7], Action.RETRY), nack(tags[8], Action.DEAD_LETTER)],
  });
  session.cut();
  await session.ended();
}

/** What a panel of Grafana holds, as far as this test looks. */
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

async function expectAnswers(prometheus: PrometheusServer): Promise<void> {
  const { panels } = JSON.parse(await readFile(DASHBOARD, "utf8")) as { panels: Panel[] };
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  expect(queries.length).toBeGreaterThan(40);

  const empty: string[] = [];
  for (const { title, expr } of queries) {
    const asked = Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr);
    const answer = await prometheus.query(asked);
    if (answer.length === 0) empty.push(`${title}: ${asked}`);
  }

  expect(empty).toEqual([]);
}

async function expectRules(prometheus: PrometheusServer): Promise<void> {
  const rules = await until("every alert was evaluated", async () => {
    const all = await prometheus.rules();
    return all.length > 0 && all.every(({ health }) => health !== "unknown") && all;
  });

  expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
  // Each is made of metrics that are there: what it compares is not empty, whatever it compares with.
  for (const { name, query } of rules) {
    const [, metric = ""] = /\b((?:taskwire|nodejs)_\w+|up)\b/.exec(query) ?? [];
    expect(await prometheus.query(metric), `${name}: ${metric}`).not.toEqual([]);
  }
}

async function expectFigures(prometheus: PrometheusServer, queue: string): Promise<void> {
  const figure = async (expression: string) => Number((await prometheus.query(expression))[0]?.value[1]);
  const counted = (name: string) => figure(`sum(taskwire_tasks_${name}_total{queue="${queue}"})`);
  const names = ["enqueued", "completed", "failed", "retried", "dead", "lost"];

  const counts = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await counted(name)])));

  expect(counts).toEqual({
    enqueued: 10 * ROUNDS + 1,
    completed: 6 * ROUNDS,
    failed: 3 * ROUNDS,
    retried: 2 * ROUNDS,
    dead: ROUNDS,
    lost: ROUNDS,
  });
  expect(await figure(`taskwire_task_run_seconds_count{queue="${queue}"}`)).toBe(9 * ROUNDS);
  expect(await figure(`taskwire_queue_tasks{queue="${queue}", state="dead"}`)).toBe(ROUNDS);
  expect(await figure(`taskwire_queue_tasks{queue="${queue}", state="scheduled"}`)).toBe(2 * ROUNDS);
  expect(await figure("taskwire_store_up")).toBe(1);
}
