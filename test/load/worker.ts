/** The worker process of the benchmark. Its one argument says what it takes tasks from. */
import { cpuMicros } from "./clock.ts";
import type { Crew, Target, WorkerCommands } from "./protocol.ts";
import { serve } from "./serve.ts";
import { startTaker } from "./systems.ts";
import type { Taker } from "./taker.ts";
import { Shift } from "./work.ts";

// Written by roles.ts.
const { target } = JSON.parse(process.argv[2] ?? "") as { target: Target };
let shift = new Shift(0);
let takers: readonly Taker[] = [];

serve<WorkerCommands>({
  start: async (crew) => {
    shift = new Shift(crew.expected);
    takers = await startCrew(crew);
  },
  ended: () => shift.ended(),
  began: ({ number }) => shift.began(number),
  letGo: async () => shift.letGo(),
  recorded: async () => shift.recorded(),
  latencies: async (within) => shift.latencies(within),
  busy: async (within) => shift.busy(within),
  stop: async () => {
    await Promise.all(takers.map((taker) => taker.stop()));
    takers = [];
  },
  cpu: async () => cpuMicros(),
});

function startCrew({ queue, workers, concurrency, work }: Crew): Promise<Taker[]> {
  const handle = shift.handler(work);
  return Promise.all(Array.from({ length: workers }, () => startTaker(target, { queue, concurrency, handle })));
}
