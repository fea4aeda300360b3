import { count, type Queue } from "../api/messages.ts";
import type { State } from "../api/states.ts";
import { short } from "../parts/format.ts";
import { tasksAt } from "./pages.ts";

/** How many tasks of a queue are in a state, as a cell of a table. It leads to them. */
export function QueueSize({ queue: { name, counters = {} }, state }: { readonly queue: Queue; readonly state: State }) {
  return (
    <td class="number">
      <a href={tasksAt({ state, queue: name })}>{short(count(counters[state]))}</a>
    </td>
  );
}
