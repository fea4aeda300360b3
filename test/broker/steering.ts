/** Words for the tests of list, cancel, revive and pause. */
import { Nack_Action, type TaskState } from "@taskwire/proto";
import type { Rpc } from "../support/rpc.ts";
import type { WireSession } from "../support/session.ts";
import { untilState } from "./tasks.ts";

/** Takes as many tasks as there are ids, and buries each with a message of its own. */
export async function buryAll(
  rpc: Rpc,
  session: WireSession,
  {
    ids,
    queue = "",
    message = () => "gone",
  }: {
    readonly ids: readonly string[];
    readonly queue?: string;
    readonly message?: (i: number) => string;
  },
): Promise<void> {
  const deliveries = await session.untilDelivered(ids.length);
  const outcomes = deliveries.slice(-ids.length).map(({ tag }, i) => ({
    tag,
    result: {
      $case: "nack" as const,
      value: {
        action: Nack_Action.DEAD_LETTER,
        errorType: "TypeError",
        errorMessage: message(i),
        errorStack: "    at handler (mail.ts:7:1)",
        retryDelay: undefined,
      },
    },
  }));
  await session.settle({ outcomes });
  for (const id of ids) await untilState(rpc, id, 5 satisfies TaskState, queue);
}

/** The ids of all pages, and how many pages there were. */
export async function listAll(
  rpc: Rpc,
  request: Parameters<Rpc["tasks"]["listTasks"]>[0],
): Promise<{ readonly ids: readonly string[]; readonly pages: number }> {
  const ids: string[] = [];
  let pageToken = "";
  let pages = 0;
  do {
    const page = await rpc.tasks.listTasks({ ...request, pageToken });
    ids.push(...page.tasks.map(({ task }) => task?.id ?? ""));
    pageToken = page.nextPageToken;
    pages++;
  } while (pageToken !== "");
  return { ids, pages };
}
