/** How soon the first page of a long list is there, as the dashboard asks for it. */
import { TASK_TYPE } from "../../test/load/payload.ts";
import { type Row, record, withSystem } from "./row.ts";

const QUEUE = "list";
const RPC = "TaskService/ListTasks";

export const listRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer) => {
      const { queued, listCalls: count } = bench.settings.sizes;
      await producer.ask.load({ queue: QUEUE, count: queued, mode: "bulk" });
      const visitor = await system.startVisitor();
      const list = (type: string) => {
        const request = { state: "TASK_STATE_READY", queue: QUEUE, type };
        return visitor.ask.repeat({ rpc: RPC, request, count });
      };
      await list("");
      const first = await list("");
      record(bench, { listP50: first.p50, listP99: first.p99 });
      const filtered = await list(TASK_TYPE);
      record(bench, { listFilteredP50: filtered.p50, listFilteredP99: filtered.p99 });
      // As many tasks are looked at as ever for one page, and none is found.
      const inVain = await list("other");
      record(bench, { listInVainP50: inVain.p50, listInVainP99: inVain.p99 });
    }),
};
