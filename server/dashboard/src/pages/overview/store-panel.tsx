import { count, type Stats } from "../../api/messages.ts";
import { bytes, UNKNOWN, whole } from "../../parts/format.ts";
import { Panel } from "../../parts/page.tsx";

const MEANINGS: Readonly<Record<string, string>> = {
  volatile: "in memory: lost when the store stops",
  async: "on disk soon after: a crash of the store can lose the last moments",
  fsync: "on disk before the reply",
  replicated: "with as many replicas as the broker waits for, before the reply",
};

/** Fewer than this say nothing of the size of one: what the store needs for itself is most of it. */
const ENOUGH_TASKS = 1_000;

/** Where tasks are kept, and how well. */
export function StorePanel({ stats: { store, total = {}, brokers = 0 } }: { readonly stats: Stats }) {
  const durability = store?.durability ?? "";
  const size = store ? count(store.bytes) : undefined;
  const kept = count(total.scheduled) + count(total.ready) + count(total.active) + count(total.dead);
  return (
    <Panel title="Store" name="store">
      <dl class="facts">
        <div>
          <dt>Where</dt>
          <dd class="wrap">{store?.description || UNKNOWN}</dd>
        </div>
        <div>
          <dt>Durability</dt>
          <dd>
            <strong>{durability || UNKNOWN}</strong>
            {MEANINGS[durability] && <span class="muted"> {MEANINGS[durability]}</span>}
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>{bytes(size)}</dd>
        </div>
        <div>
          <dt>Per task kept</dt>
          <dd>
            {size !== undefined && kept >= ENOUGH_TASKS ? bytes(size / kept) : UNKNOWN}
            <span class="muted">
              {size !== undefined && kept < ENOUGH_TASKS
                ? ` told from ${whole(ENOUGH_TASKS)} tasks on; there are ${whole(kept)}`
                : ""}
            </span>
          </dd>
        </div>
        <div>
          <dt>Brokers</dt>
          <dd>{whole(brokers)}</dd>
        </div>
      </dl>
    </Panel>
  );
}
