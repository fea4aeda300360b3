/** A list of tasks that is looked at while tasks come and go. */
import { useEffect, useRef, useState } from "preact/hooks";
import { CallError, call, type Rpc } from "../../api/call.ts";
import type { TaskStatus } from "../../api/messages.ts";
import { useFetched } from "../../live/use-fetched.ts";
import { useSteady } from "../../live/use-steady.ts";
import { tell } from "../../parts/toasts.tsx";

interface ListResponse {
  readonly tasks?: readonly TaskStatus[];
  readonly nextPageToken?: string;
}

export interface ListedTask {
  readonly status: TaskStatus;
  /** It is no longer in this state. */
  readonly isGone: boolean;
}

const REFRESH_MS = 3_000;

export function keyOf({ task }: TaskStatus): string {
  return `${task?.queue}/${task?.id}`;
}

export function useTaskList(rpc: Rpc) {
  const question = JSON.stringify(rpc);
  const { data, error, isOld } = useFetched<ListResponse>(rpc, REFRESH_MS);
  const first = isOld ? undefined : data;
  const steady = useSteady(first?.tasks ?? (first && []), keyOf, question);
  // Where the first page ended when it was accepted: further pages go on from there.
  const accepted = useRef({ question: "", token: "" });
  const [further, setFurther] = useState<{ tasks: readonly TaskStatus[]; token?: string }>({ tasks: [] });
  const [isLoadingMore, setLoadingMore] = useState(false);

  if (first && (accepted.current.question !== question || steady.waiting === 0) && further.tasks.length === 0)
    accepted.current = { question, token: first.nextPageToken ?? "" };
  // Another question has no further pages yet.
  useEffect(() => setFurther({ tasks: [] }), [question]);

  const token = further.token ?? accepted.current.token;
  const loadMore = async () => {
    setLoadingMore(true);
    try {
      const next = await call<ListResponse>({ ...rpc, request: { ...rpc.request, pageToken: token } });
      setFurther({ tasks: [...further.tasks, ...(next.tasks ?? [])], token: next.nextPageToken ?? "" });
    } catch (failure) {
      tell({ kind: "failed", text: failure instanceof CallError ? failure.message : String(failure) });
    }
    setLoadingMore(false);
  };

  // Only a list that is whole tells that a task has left it; otherwise it may have moved to a later page.
  const isWhole = first !== undefined && !first.nextPageToken;
  const onFirst = new Set(steady.shown.map(({ item }) => keyOf(item)));
  const shown: ListedTask[] = [
    ...steady.shown.map(({ item, isGone }) => ({ status: item, isGone: isGone && isWhole })),
    ...further.tasks.filter((task) => !onFirst.has(keyOf(task))).map((status) => ({ status, isGone: false })),
  ];
  return {
    shown,
    waiting: steady.waiting,
    /** All of the first page is new: there may be more. */
    isMoreWaiting: steady.waiting > 0 && steady.waiting === first?.tasks?.length && !isWhole,
    accept: () => {
      setFurther({ tasks: [] });
      steady.accept();
    },
    error: isOld ? undefined : error,
    isOld,
    isLoaded: first !== undefined,
    isLoadingMore,
    more: token ? () => void loadMore() : undefined,
  };
}
