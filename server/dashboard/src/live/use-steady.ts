/** A list that does not jump under its reader: rows keep their places, and new ones wait until they are asked for. */
import { useRef, useState } from "preact/hooks";

export interface Steady<Item> {
  /** In the order in which they were first shown, as they are now. */
  readonly shown: readonly { readonly item: Item; readonly isGone: boolean }[];
  /** How many wait. */
  readonly waiting: number;
  /** Shows them, in their own order, and drops what is gone. */
  readonly accept: () => void;
}

/** @param question what the list is an answer to: for another one it starts anew */
export function useSteady<Item>(
  latest: readonly Item[] | undefined,
  keyOf: (item: Item) => string,
  question = "",
): Steady<Item> {
  const kept = useRef<{ question: string; order: readonly Item[] }>({ question, order: [] });
  const [, redraw] = useState(0);
  const now = new Map((latest ?? []).map((item) => [keyOf(item), item]));
  const isNew = kept.current.question !== question;
  // Where nothing was, nothing can jump.
  if (latest && (isNew || kept.current.order.every((item) => !now.has(keyOf(item)))))
    kept.current = { question, order: latest };
  const known = new Set(kept.current.order.map(keyOf));
  return {
    shown: kept.current.order.map((item) => {
      const present = now.get(keyOf(item));
      return { item: present ?? item, isGone: latest !== undefined && present === undefined };
    }),
    waiting: (latest ?? []).filter((item) => !known.has(keyOf(item))).length,
    accept: () => {
      kept.current = { question, order: latest ?? [] };
      redraw((count) => count + 1);
    },
  };
}
