/** Which queues are listed and in which order. The address says so. */
import { type CounterName, count, type Queue } from "../../api/messages.ts";
import { failureShare, perSecond } from "../../live/rates.ts";

interface Column {
  readonly name: string;
  /** How the address calls it. */
  readonly sort: string;
  /** Queues with the most come first. */
  readonly of: (queue: Queue) => number;
}

const standing = (name: string, sort: CounterName): Column => ({
  name,
  sort,
  of: ({ counters }) => count(counters?.[sort]),
});

export const COLUMNS: readonly Column[] = [
  standing("Waiting", "ready"),
  {
    name: "Oldest",
    sort: "oldest",
    of: ({ oldestReadyTime }) => (oldestReadyTime ? -Date.parse(oldestReadyTime) : Number.NEGATIVE_INFINITY),
  },
  standing("Scheduled", "scheduled"),
  standing("Active", "active"),
  standing("Completed", "completed"),
  standing("Dead", "dead"),
  { name: "In /s", sort: "in", of: ({ name }) => perSecond("enqueued", name) ?? 0 },
  { name: "Done /s", sort: "done", of: ({ name }) => perSecond("completed", name) ?? 0 },
  { name: "Failing", sort: "failing", of: ({ name }) => failureShare(name) ?? 0 },
];

export interface Choice {
  /** Only this queue; empty: all. */
  readonly named: string;
  /** What is in their names. */
  readonly find: string;
  readonly isPaused: boolean;
  /** A column of `COLUMNS`; otherwise they stand by name. */
  readonly sort: string;
}

export function choose(queues: readonly Queue[], { named, find, isPaused, sort }: Choice): readonly Queue[] {
  const text = find.toLowerCase();
  const chosen = queues.filter(
    ({ name, paused }) =>
      (named === "" || name === named) && name.toLowerCase().includes(text) && (!isPaused || paused === true),
  );
  const column = COLUMNS.find((one) => one.sort === sort);
  if (!column) return chosen;
  const values = new Map(chosen.map((queue) => [queue, column.of(queue)]));
  const of = (queue: Queue) => values.get(queue) ?? 0;
  // They come by name, and those that are equal stay so.
  return [...chosen].sort((a, b) => (of(a) === of(b) ? 0 : of(b) > of(a) ? 1 : -1));
}
