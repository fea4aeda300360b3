import { useId, useState } from "preact/hooks";
import type { Rpc } from "../../api/call.ts";
import type { EnqueueRate } from "../../api/messages.ts";
import { perform } from "../../parts/action.tsx";
import { CopyGrpcurl } from "../../parts/copy.tsx";
import { Dialog } from "../../parts/dialog.tsx";

/** Sets how fast a queue takes tasks. */
export function RateDialog(props: {
  readonly queue: string;
  readonly rate: EnqueueRate | undefined;
  readonly onClose: () => void;
}) {
  const { queue, rate, onClose } = props;
  const id = useId();
  const [perSecond, setPerSecond] = useState(rate ? String(rate.perSecond) : "");
  const [burst, setBurst] = useState(rate ? String(rate.burst) : "");
  const rpc = toRpc(queue, perSecond, burst);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const done =
      perSecond === ""
        ? `${queue} takes tasks as fast as they come`
        : `${queue} takes ${perSecond} tasks a second at most`;
    if (await perform(rpc, () => done)) onClose();
  };
  return (
    <Dialog title={`Enqueue rate of ${queue}`} onClose={onClose}>
      <p>
        How many tasks the queue accepts, counted over all brokers. What comes faster is refused with the time to wait.
        Without a number there is no limit.
      </p>
      <form onSubmit={(event) => void save(event)}>
        <div class="fields">
          <label for={`${id}-rate`}>
            Tasks a second
            <input
              id={`${id}-rate`}
              type="number"
              min="0.001"
              step="any"
              placeholder="no limit"
              value={perSecond}
              onInput={(event) => setPerSecond(event.currentTarget.value)}
            />
          </label>
          <label for={`${id}-burst`}>
            At once, at most
            <input
              id={`${id}-burst`}
              type="number"
              min="1"
              step="1"
              placeholder="as many as a second brings"
              disabled={perSecond === ""}
              value={burst}
              onInput={(event) => setBurst(event.currentTarget.value)}
            />
          </label>
        </div>
        <div class="dialog-actions">
          <CopyGrpcurl rpc={rpc} />
          <span class="grow" />
          <button type="button" class="button" onClick={onClose}>
            Keep as it is
          </button>
          <button type="submit" class="button primary" disabled={perSecond === "" && !rate}>
            {perSecond === "" && rate ? "Remove the limit" : "Set the rate"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function toRpc(queue: string, perSecond: string, burst: string): Rpc {
  const limit = { perSecond: Number(perSecond), ...(burst === "" ? {} : { burst: Number(burst) }) };
  return {
    method: "QueueService/UpdateQueue",
    request: { queue, ...(perSecond === "" ? {} : { enqueueRate: limit }) },
  };
}
