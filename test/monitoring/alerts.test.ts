/** Each alert against series that are made up: it fires when it should, and not when nothing is wrong. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { hasPrometheus, promtool } from "../support/prometheus.ts";

const ALERTS = fileURLToPath(new URL("../../docs/monitoring/alerts.yaml", import.meta.url));

/** Values of a series, one each minute, as promtool writes them: `0+5x10` is 0, 5, 10 ... 50. */
type Given = Readonly<Record<string, string>>;

const QUEUE = '{queue="q", instance="a", job="taskwire"}';
const ALL = '{instance="a", job="taskwire"}';

/** What makes each alert fire; and something like it that must not. */
const CASES: Readonly<Record<string, { readonly fires: Given; readonly silent: Given }>> = {
  TaskwireBrokerDown: { fires: { [`up${ALL}`]: "0x90" }, silent: { [`up${ALL}`]: "1x90" } },
  TaskwireStoreAway: {
    fires: { [`taskwire_store_up${ALL}`]: "0x90" },
    silent: { [`taskwire_store_up${ALL}`]: "1x90" },
  },
  TaskwireStoreErrors: {
    fires: { 'taskwire_store_errors_total{code="STORE_FULL", verb="claim"}': "0+1x90" },
    silent: { 'taskwire_store_errors_total{code="STORE_FULL", verb="claim"}': "7x90" },
  },
  TaskwireStoreSlow: {
    fires: callBuckets({ "0.016384": "0x90", "0.524288": "0+60x90", "+Inf": "0+60x90" }),
    silent: callBuckets({ "0.016384": "0+60x90", "0.524288": "0+60x90", "+Inf": "0+60x90" }),
  },
  TaskwireNoWorkers: {
    fires: backlog({ ready: "3x90", workers: "0x90", paused: "0x90" }),
    silent: backlog({ ready: "3x90", workers: "0x90", paused: "1x90" }),
  },
  TaskwireTasksWaitTooLong: {
    fires: { [`taskwire_queue_oldest_ready_seconds${QUEUE}`]: "0+60x90", [`taskwire_queue_paused${QUEUE}`]: "0x90" },
    silent: { [`taskwire_queue_oldest_ready_seconds${QUEUE}`]: "100x90", [`taskwire_queue_paused${QUEUE}`]: "0x90" },
  },
  TaskwireWorkersBusy: {
    fires: { ...windows("10x90"), ...backlog({ ready: "1x90", workers: "2x90", paused: "0x90" }) },
    silent: { ...windows("10x90"), ...backlog({ ready: "0x90", workers: "2x90", paused: "0x90" }) },
  },
  TaskwireQueuePaused: {
    fires: { [`taskwire_queue_paused${QUEUE}`]: "1x90" },
    silent: { [`taskwire_queue_paused${QUEUE}`]: "1x50 0x5 1x35" },
  },
  TaskwireFailureRatioHigh: {
    fires: { [`taskwire_tasks_failed_total${QUEUE}`]: "0+3x90", [`taskwire_tasks_completed_total${QUEUE}`]: "0+7x90" },
    silent: {
      [`taskwire_tasks_failed_total${QUEUE}`]: "0+3x90",
      [`taskwire_tasks_completed_total${QUEUE}`]: "0+20x90",
    },
  },
  TaskwireDeadTasksGrow: {
    fires: { [`taskwire_tasks_dead_total${QUEUE}`]: "0+1x90" },
    silent: { [`taskwire_tasks_dead_total${QUEUE}`]: "5000x90" },
  },
  TaskwireDeadTasksDropped: {
    fires: { [`taskwire_tasks_dropped_total${QUEUE}`]: "0+1x90" },
    silent: { [`taskwire_tasks_dropped_total${QUEUE}`]: "9x90" },
  },
  TaskwireWorkersLost: {
    fires: { [`taskwire_tasks_lost_total${QUEUE}`]: "0+1x90" },
    silent: { [`taskwire_tasks_lost_total${QUEUE}`]: "0x80 2x10" },
  },
  TaskwireBrokerLost: {
    fires: { [`taskwire_tasks_reaped_total${ALL}`]: "0x80 4x10" },
    silent: { [`taskwire_tasks_reaped_total${ALL}`]: "4x90" },
  },
  TaskwireStaleSettles: {
    fires: { [`taskwire_settles_stale_total${ALL}`]: "0+2x90" },
    silent: { [`taskwire_settles_stale_total${ALL}`]: "0x85 3x5" },
  },
  TaskwireRateLimited: {
    fires: { [`taskwire_tasks_rate_limited_total${QUEUE}`]: "0+9x90" },
    silent: { [`taskwire_tasks_rate_limited_total${QUEUE}`]: "0x85 9x5" },
  },
  TaskwireEventLoopLag: {
    fires: { [`nodejs_eventloop_lag_p99_seconds${ALL}`]: "0.4x90", [`taskwire_store_up${ALL}`]: "1x90" },
    // Of something else that runs on Node.js.
    silent: {
      'nodejs_eventloop_lag_p99_seconds{instance="b", job="shop"}': "0.4x90",
      [`taskwire_store_up${ALL}`]: "1x90",
    },
  },
};

test("each alert has a case here, and is explained with its severity in the docs", async () => {
  const rules = [...(await readFile(ALERTS, "utf8")).matchAll(/- alert: (\w+).*?severity: (\w+)/gs)];
  const operations = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const explained = [...operations.matchAll(/^\| `(Taskwire\w+)` +\| (\w+)/gm)];

  expect(Object.keys(CASES)).toEqual(rules.map(([, name]) => name));
  expect(explained.map(([, name, severity]) => [name, severity])).toEqual(
    rules.map(([, name, severity]) => [name, severity]),
  );
});

test.skipIf(!hasPrometheus)("promtool has nothing against the rules, and the example of a configuration", async () => {
  await promtool("check", "rules", ALERTS);
  await promtool("check", "config", fileURLToPath(new URL("../../docs/monitoring/prometheus.yaml", import.meta.url)));
});

describe.skipIf(!hasPrometheus)("the alert", () => {
  test.each(Object.entries(CASES))("%s fires when it should, and only then", async (name, { fires, silent }) => {
    await expectFiring(name, fires, 1);
    await expectFiring(name, silent, 0);
  });
});

/** Looks after 90 minutes. */
async function expectFiring(name: string, given: Given, expected: 0 | 1): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "taskwire-alerts-"));
  const cases = {
    rule_files: [ALERTS],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(given).map(([series, values]) => ({ series, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${name}", alertstate="firing"}) or vector(0)`,
            eval_time: "90m",
            exp_samples: [{ labels: "{}", value: expected }],
          },
        ],
      },
    ],
  };
  try {
    // JSON is YAML.
    await writeFile(join(dir, "test.yaml"), JSON.stringify(cases));
    await promtool("test", "rules", join(dir, "test.yaml"));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function callBuckets(buckets: Readonly<Record<string, string>>): Given {
  const series = (le: string) =>
    `taskwire_store_call_seconds_bucket{verb="claim", instance="a", job="taskwire", le="${le}"}`;
  return Object.fromEntries(Object.entries(buckets).map(([le, values]) => [series(le), values]));
}

function backlog({ ready, workers, paused }: Readonly<Record<"ready" | "workers" | "paused", string>>): Given {
  return {
    'taskwire_queue_tasks{queue="q", state="ready", instance="a", job="taskwire"}': ready,
    // Every broker tells the same.
    'taskwire_queue_tasks{queue="q", state="ready", instance="b", job="taskwire"}': ready,
    [`taskwire_queue_workers${QUEUE}`]: workers,
    [`taskwire_queue_paused${QUEUE}`]: paused,
  };
}

function windows(held: string): Given {
  return { [`taskwire_held_tasks${ALL}`]: held, [`taskwire_window_tasks${ALL}`]: "10x90" };
}
