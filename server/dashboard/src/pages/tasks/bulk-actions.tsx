import { count } from "../../api/messages.ts";
import { stats } from "../../live/link.ts";
import { DeadActions } from "../failures/dead-actions.tsx";
import type { Query } from "./query.ts";

/** Revives or deletes what the filter chooses. By type nothing can be chosen: the broker takes queues and groups. */
export function BulkActions({ query: { queue, type, failure } }: { readonly query: Query }) {
  const latest = stats.value;
  const counters = queue ? latest?.queues?.find(({ name }) => name === queue)?.counters : latest?.total;
  const dead = count(counters?.dead);
  // How many a group has, its own page knows.
  if (type || failure || dead === 0) return null;
  return (
    <DeadActions
      tasks={queue ? { queue } : { all: true }}
      isAll
      many={dead}
      of={queue ? `dead tasks of ${queue}` : "dead tasks"}
    />
  );
}
