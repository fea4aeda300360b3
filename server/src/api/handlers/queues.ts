import type { GetQueueRequest, GetQueueResponse, ListQueuesRequest, ListQueuesResponse } from "@taskwire/proto";
import { TaskwireError } from "../../domain/errors.ts";
import { LIMITS } from "../../domain/limits.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { Fields } from "../parse/fields.ts";
import { presentQueue } from "./stats.ts";

export function listQueues({ store }: Broker): UnaryHandler<ListQueuesRequest, ListQueuesResponse> {
  return async ({ pageSize, pageToken }) => {
    const fields = new Fields();
    const { max, default: fallback } = LIMITS.queuesPerPage;
    const size = pageSize === 0 ? fallback : fields.whole("page_size", pageSize, { min: 1, max });
    // A page token is the name of the last queue before it.
    if (pageToken !== "") fields.name("page_token", pageToken);
    fields.check();
    const names = (await store.queues()).filter((name) => name > pageToken);
    const page = names.slice(0, size);
    const queues = await store.stats(page);
    return { queues: queues.map(presentQueue), nextPageToken: names.length > size ? (page.at(-1) ?? "") : "" };
  };
}

export function getQueue({ store }: Broker): UnaryHandler<GetQueueRequest, GetQueueResponse> {
  return async ({ queue }) => {
    const fields = new Fields();
    fields.name("queue", queue);
    fields.check();
    const names = await store.queues();
    const [stats] = names.includes(queue) ? await store.stats([queue]) : [];
    if (!stats)
      throw new TaskwireError("QUEUE_NOT_FOUND", `no queue ${JSON.stringify(queue)}: it never had a task`, {
        metadata: { queue },
      });
    return { queue: presentQueue(stats) };
  };
}
