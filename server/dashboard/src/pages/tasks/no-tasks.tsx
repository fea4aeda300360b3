import { grpcurl } from "../../api/grpcurl.ts";
import { Empty } from "../../parts/empty.tsx";
import type { Query } from "./query.ts";

/** Why a list is empty, and how to fill it. */
export function NoTasks({ query }: { readonly query: Query }) {
  const { state, queue, type, failure } = query;
  const where = [type && `of the type ${type}`, queue && `in the queue ${queue}`, failure && "in this group"].filter(
    Boolean,
  );
  const title = `No task ${where.join(" ")}${where.length > 0 ? " " : ""}is ${state}`;
  const request = { type: type || "hello", ...(queue && { queue }), json: { name: "Ada" } };
  switch (state) {
    case "ready":
      return (
        <Empty title={title} command={grpcurl({ method: "TaskService/Enqueue", request })}>
          Nothing waits for a worker: what was enqueued is taken, scheduled, or has ended. To enqueue a task:
        </Empty>
      );
    case "scheduled":
      return (
        <Empty
          title={title}
          command={grpcurl({ method: "TaskService/Enqueue", request: { ...request, delay: "60s" } })}
        >
          Tasks are here that have a delay, or wait for their next attempt. To schedule one in a minute:
        </Empty>
      );
    case "active":
      return (
        <Empty title={title} command={grpcurl({ method: "StatsService/ListWorkers", request: {} })}>
          Nothing is with a worker now. Which workers are there says the page <a href="/ui/workers">Workers</a>, or:
        </Empty>
      );
    case "completed":
      return (
        <Empty title={title}>
          The results of the last tasks of each queue are listed, for as long as they are kept.
        </Empty>
      );
    case "dead":
      return <Empty title={title}>Tasks come here when they are out of retries. That there is none is good.</Empty>;
    case "cancelled":
      return <Empty title={title}>Tasks come here that somebody cancelled, or that their handlers discarded.</Empty>;
  }
}
