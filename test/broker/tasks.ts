/** Words to write broker tests with. */
import { EnqueueRequest } from "@taskwire/proto";
import type { Rpc } from "../support/rpc.ts";

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
