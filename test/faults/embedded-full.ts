/**
 * A broker on a small disk: fills its store until it refuses, lets half of the tasks be settled, opens the store again, and
 * says what happened, as JSON. Argument: the folder.
 */
import { createEmbeddedStore, createLogger, type Store } from "@taskwire/server/testing";
import { DEFAULT_OPTIONS, HeardEvents } from "../store/backend.ts";
import { ack, claim, claimAll, counters, errorCode, newTasks, QUEUE, settleAll } from "../store/tasks.ts";

const BATCH = newTasks(100, "x".repeat(1_000));
const [, , dir = ""] = process.argv;

const store = await open();
const { accepted, refusal } = await fill();
const { enqueued: counted } = await counters(store);
const half = await claim(store, { maxTasks: accepted / 2 });
const answers = await settleAll(store, half, ack());
await store.stop();
const again = await open();
const { enqueued, completed } = await counters(again);
const left = (await claimAll(again)).length;
await again.stop();
process.stdout.write(
  JSON.stringify({
    refusal,
    accepted,
    counted,
    settled: answers.filter((answer) => answer === "settled").length,
    enqueued,
    completed,
    left,
  }),
);

async function open(): Promise<Store> {
  const opened = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger: createLogger("silent", false) });
  await opened.start(new HeardEvents());
  return opened;
}

async function fill(): Promise<{ accepted: number; refusal: string }> {
  for (let taken = 0; ; taken += BATCH.length) {
    const enqueuing = store.enqueue(QUEUE, BATCH);
    const isTaken = await enqueuing.then(
      () => true,
      () => false,
    );
    if (!isTaken) return { accepted: taken, refusal: await errorCode(enqueuing) };
  }
}
