/**
 * A broker to be killed. It works on the embedded store in a folder, as one producer and one worker, and says what it sends
 * and what the store has promised, a line each: `sending <sequence>`, `enqueued <sequence> <key>...`, `<outcome> <key>`.
 *
 * Arguments: folder, producer, and the sequence to begin with.
 */
import { createEmbeddedStore, createLogger, type NewTask, type Outcome } from "@taskwire/server/testing";
import { DEFAULT_OPTIONS, HeardEvents } from "../store/backend.ts";
import { ack, bury, claim, discard, lose, newTask, QUEUE, release, retry } from "../store/tasks.ts";

const OUTCOMES: readonly Outcome[] = [
  ack("done"),
  ack(),
  retry(1),
  ack(),
  lose(),
  bury(),
  discard(),
  ack(),
  release(),
  retry(0),
  ack(),
];

const [, , dir = "", producer = "", first = "1"] = process.argv;
const store = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger: createLogger("silent", false) });
await store.start(new HeardEvents());

for (let sequence = Number(first); ; sequence++) {
  say("sending", sequence);
  const enqueued = store.enqueue(QUEUE, tasksOf(sequence), { id: producer, sequence }).then((answers) => {
    say("enqueued", sequence, ...answers.map(({ key }) => key));
  });
  await Promise.all([enqueued, workOff(sequence)]);
}

/** The same for the same sequence, in whichever process. */
function tasksOf(sequence: number): NewTask[] {
  return Array.from({ length: 1 + ((sequence * 7) % 40) }, (_, i) => {
    const name = `${producer}-${sequence}-${i}`;
    if (i % 9 === 4) return newTask(name, { priority: 1 });
    if (i % 5 === 3) return newTask(name, { key: `=${name}` });
    return newTask(name, i % 11 === 7 ? { delayMs: 1 } : {});
  });
}

async function workOff(sequence: number): Promise<void> {
  const held = await claim(store, { maxTasks: 1 + ((sequence * 3) % 60) });
  const settlements = held.map(({ lease, index }, i) => ({
    lease,
    index,
    outcome: OUTCOMES[(i + sequence) % OUTCOMES.length] ?? ack(),
  }));
  await store.settle(QUEUE, settlements);
  for (const [i, { key }] of held.entries()) say(settlements[i]?.outcome.kind ?? "", key);
}

function say(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(" ")}\n`);
}
