import { count, type Queue } from "../../api/messages.ts";
import { counterOf, type State } from "../../api/states.ts";
import { stats } from "../../live/link.ts";
import { plural, short } from "../../parts/format.ts";
import { tasksAt } from "../pages.ts";

const SHOWN = 24;

export function queuesWith(state: State): readonly Queue[] {
  return (stats.value?.queues ?? []).filter(({ counters }) => count(counters?.[counterOf(state)]) > 0);
}

/** Of very many queues tasks are not listed together. */
export function WhichQueue({ state }: { readonly state: State }) {
  const queues = queuesWith(state);
  const many = ({ counters }: Queue) => count(counters?.[counterOf(state)]);
  const largest = [...queues].sort((a, b) => many(b) - many(a)).slice(0, SHOWN);
  return (
    <div class="empty">
      <p class="empty-title">In which queue?</p>
      <p>
        {plural(queues.length, "queue")} have such tasks: too many to be listed together. One of{" "}
        <a href="/ui/queues">all queues</a>, or of those with the most:
      </p>
      <ul class="choices">
        {largest.map((queue) => (
          <li key={queue.name}>
            <a class="chip" data-row href={tasksAt({ state, queue: queue.name })}>
              {queue.name} <span class="tab-count">{short(many(queue))}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
