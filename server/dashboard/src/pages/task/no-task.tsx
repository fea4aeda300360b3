import type { CallError } from "../../api/call.ts";
import { stats } from "../../live/link.ts";
import { Empty, Problem } from "../../parts/empty.tsx";
import { taskAt } from "../pages.ts";

/** Why a task cannot be shown. */
export function NoTask({ id, error }: { readonly id: string; readonly error: CallError }) {
  if (error.reason === "QUEUE_NEEDED") return <WhichQueue id={id} />;
  if (error.code === "not_found")
    return (
      <Empty title="There is no such task">
        It never existed, or it ended so long ago that its result was dropped, or it was deleted.
      </Empty>
    );
  return <Problem error={error} />;
}

/** An id that the caller chose is unique within its queue only. */
function WhichQueue({ id }: { readonly id: string }) {
  const queues = stats.value?.queues ?? [];
  return (
    <div class="empty">
      <p class="empty-title">In which queue?</p>
      <p>
        This is not an id that the broker made, at least not a whole one. If whoever enqueued the task chose it, it says
        nothing of its queue:
      </p>
      <ul class="choices">
        {queues.map(({ name }) => (
          <li key={name}>
            <a class="chip" data-row href={taskAt(id, name)}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
