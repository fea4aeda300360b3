/**
 * A broker to be killed: works on the embedded store in the folder that is named as argument, and prints one line for each
 * thing that the store has promised: `enqueued <key> <body>` and `completed <key>`.
 */
import { createEmbeddedStore, createLogger } from "@taskwire/server/testing";
import { DEFAULT_OPTIONS, HeardEvents } from "./backend.ts";
import { ack, claim, newTask, newTasks, QUEUE, settleAll } from "./tasks.ts";

const [, , dir = ""] = process.argv;
const store = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger: createLogger("silent", false) });
await store.start(new HeardEvents());

for (let round = 0; ; round++) {
  const tasks = [
    ...newTasks((round * 7) % 40, `round-${round}`),
    newTask(`urgent-${round}`, { priority: 1 }),
    ...newTasks((round * 5) % 20, `later-${round}`).map((task) => ({ ...task, delayMs: 5 })),
  ];
  const enqueued = store.enqueue(QUEUE, tasks);
  const held = await claim(store, { maxTasks: 1 + ((round * 3) % 50) });
  const told = (await enqueued).map(({ key }, i) => `enqueued ${key} ${String(tasks[i]?.body).replace(" ", "-")}\n`);
  process.stdout.write(told.join(""));
  const half = held.filter((_, i) => i % 2 === 0);
  await settleAll(store, half, ack());
  process.stdout.write(half.map(({ key }) => `completed ${key}\n`).join(""));
}
