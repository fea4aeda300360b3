/** Words to write broker tests with. */
import { EnqueueRequest, type GetTaskResponse, type TaskState } from "@taskwire/proto";
import type { Rpc } from "../support/rpc.ts";
import { until } from "../support/until.ts";

type PartialRequest = Parameters<typeof EnqueueRequest.fromPartial>[0];
interface Extra extends Omit<PartialRequest & object, "body"> {
  readonly payload?: Uint8Array;
}

/** Adds `count` tasks whose payloads tell their places; resolves with their ids. */
export async function enqueueMany(rpc: Rpc, queue: string, count: number, extra: Extra = {}): Promise<string[]> {
  const { payload, ...fields } = extra;
  const tasks = Array.from({ length: count }, (_, i) =>
    EnqueueRequest.fromPartial({
      type: "email",
      queue,
      body: { $case: "payload", value: payload ?? Buffer.from(`task ${i}`) },
      ...fields,
    }),
  );
  const answer = await rpc.tasks.enqueueBatch({ tasks });
  return answer.tasks.map(({ taskId }) => taskId);
}

/** Resolves with what the broker knows of a task once it is in this state. */
export async function untilState(rpc: Rpc, taskId: string, state: TaskState, queue = ""): Promise<GetTaskResponse> {
  let last = "";
  return until(
    () => `task ${taskId} is in state ${state}; it is ${last}`,
    async () => {
      const answer = await rpc.tasks.getTask({ taskId, queue });
      last = JSON.stringify(answer.status);
      return answer.status?.state === state && answer;
    },
    { withinMs: 15_000 },
  );
}
