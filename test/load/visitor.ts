/** The process of the benchmark that comes in through the HTTP door. Its one argument says where that is. */
import { monotonicMs } from "./clock.ts";
import { Door } from "./door.ts";
import { objectPayload, TASK_TYPE } from "./payload.ts";
import type { Repeated, Span, VisitorCommands, WebLoad } from "./protocol.ts";
import { serve } from "./serve.ts";
import { Times } from "./times.ts";
import { Visits } from "./visits.ts";

// Written by roles.ts.
const { address } = JSON.parse(process.argv[2] ?? "") as { address: string };
let visits: Visits | undefined;

serve<VisitorCommands>({
  watch: async () => {
    visits = new Visits(address);
  },
  leave: async () => {
    if (!visits) throw new Error("nobody watches");
    return visits.end();
  },
  enqueue: enqueueOneByOne,
  repeat,
  call: async ({ rpc, request }) => {
    const door = new Door(address, 1);
    const answer = await door.call(rpc, request);
    door.close();
    return answer;
  },
});

async function enqueueOneByOne({ queue, count, connections }: WebLoad): Promise<Span> {
  const door = new Door(address, connections);
  let next = 0;
  const lane = async () => {
    while (next < count)
      await door.call("TaskService/Enqueue", { type: TASK_TYPE, queue, json: objectPayload(next++) });
  };
  const startedAt = monotonicMs();
  await Promise.all(Array.from({ length: connections }, lane));
  const endedAt = monotonicMs();
  door.close();
  return { startedAt, endedAt };
}

async function repeat({ rpc, request, count }: Repeated) {
  const door = new Door(address, 1);
  const times = new Times();
  for (let i = 0; i < count; i++) {
    const startedAt = monotonicMs();
    await door.call(rpc, request);
    times.record(monotonicMs() - startedAt);
  }
  door.close();
  return times.take();
}
