/** Tasks in every state, whose numbers the tests know. */
import { expect } from "vitest";
import type { WireSession } from "../support/session.ts";
import { until } from "../support/until.ts";
import type { DashboardBroker } from "./broker.ts";

/** Would be noticed if it became HTML anywhere. */
export const MARKUP = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&amp;`;
/** Beyond what a JavaScript number holds. */
export const LARGE = "12345678901234567890";

export interface Loaded {
  readonly completed: string;
  readonly active: string;
  readonly ready: string;
  readonly scheduled: string;
  readonly binary: string;
  /** 12 of three kinds in turn: a full disk, markup, no template. */
  readonly dead: readonly string[];
  /** Holds the active one. */
  readonly worker: WireSession;
}

export async function load(broker: DashboardBroker): Promise<Loaded> {
  const { rpc } = broker;
  const enqueue = async (task: Parameters<typeof rpc.tasks.enqueue>[0]) => (await rpc.tasks.enqueue(task)).taskId;
  const text = (json: string) => ({ $case: "payload", value: Buffer.from(json) }) as const;

  const completed = await enqueue({ type: "email", body: text(`{"to":"ada@example.com","order":${LARGE}}`) });
  const dead: string[] = [];
  for (let i = 0; i < 12; i++) dead.push(await enqueue({ type: "render", maxRetries: 0, body: text(`{"n":${i}}`) }));
  // Held for as long as the tests of a file take.
  const longest = { seconds: 300, nanos: 0 };
  const active = await enqueue({ type: "hold", body: text("{}"), timeout: longest });
  const worker = broker.subscribe({
    workerId: "w-00000001",
    host: MARKUP,
    sdk: MARKUP,
    labels: { zone: MARKUP },
    queues: [{ queue: "email", types: ["email"] }, { queue: "render" }, { queue: "hold" }],
    window: { maxInFlight: 20 },
    concurrency: 20,
    sessionTimeout: longest,
  });
  const held = await until("the worker has all tasks", () => worker.deliveries.length >= 14 && worker.deliveries);
  await worker.settle({
    outcomes: held.filter(({ task }) => task?.type !== "hold").map((one) => toOutcome(one, dead)),
  });

  const ready = await enqueue({
    type: "idle",
    contentType: MARKUP,
    headers: { note: MARKUP, ["x".repeat(200)]: "y".repeat(500) },
    body: text(JSON.stringify({ text: MARKUP, id: 7 })),
  });
  const binary = await enqueue({ type: "idle", body: { $case: "payload", value: Buffer.from([0, 1, 2, 0xff]) } });
  const scheduled = await enqueue({ type: "later", schedule: { $case: "delay", value: { seconds: 3_600, nanos: 0 } } });
  const { stats } = await rpc.stats.getStats({});
  expect(stats?.total).toMatchObject({ completed: 1, dead: 12, active: 1, ready: 2, scheduled: 1 });
  return { completed, active, ready, scheduled, binary, dead, worker };
}

function toOutcome({ tag, task }: WireSession["deliveries"][number], dead: readonly string[]) {
  if (task?.type === "email")
    return { tag, result: { $case: "ack", value: { result: Buffer.from(`{"messageId":${LARGE}}`) } } } as const;
  const i = dead.indexOf(task?.id ?? "");
  const messages = [`disk ${i} is full`, MARKUP, `no template "${i}"`];
  const nack = {
    action: 0 as const,
    errorType: i % 3 === 1 ? "<b>Markup</b>" : "RenderError",
    errorMessage: messages[i % 3] ?? "",
    retryDelay: undefined,
    errorStack: `RenderError\n    at render (${MARKUP}:1:2)`,
  };
  return { tag, result: { $case: "nack", value: nack } } as const;
}
