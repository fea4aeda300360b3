/** Words to write tests of lists with. */
import type { ListedTask, ListQuery, Store } from "@taskwire/server/testing";
import { expect } from "vitest";
import { until } from "../support/until.ts";
import { QUEUE } from "./tasks.ts";

/** More than any test lists: a list that does not end is stopped here. */
const MANY_PAGES = 20_000;

export type Listing = Omit<ListQuery, "limit" | "after"> & Partial<Pick<ListQuery, "limit" | "after">>;

/** All pages of a list, each checked on its own. */
export async function listPages(
  store: Store,
  { queue = QUEUE, limit = 100, ...query }: Listing & { readonly queue?: string },
): Promise<ListedTask[][]> {
  const pages: ListedTask[][] = [];
  let after = query.after;
  do {
    const page = await store.list(queue, { ...query, limit, after });
    expect(page.tasks.length, "never more than asked for").toBeLessThanOrEqual(limit);
    for (const { task } of page.tasks) expect(task).toMatchObject({ queue, state: query.state });
    pages.push([...page.tasks]);
    after = page.next;
    expect(pages.length, "a list comes to an end").toBeLessThan(MANY_PAGES);
  } while (after !== undefined);
  const isFiltered = query.type !== undefined || query.failureGroup !== undefined;
  if (!isFiltered) for (const page of pages.slice(0, -2)) expect(page, "a page is full").toHaveLength(limit);
  return pages;
}

export async function listAll(store: Store, listing: Listing & { readonly queue?: string }): Promise<ListedTask[]> {
  return (await listPages(store, listing)).flat();
}

export function keysListed(listed: readonly ListedTask[]): string[] {
  return listed.map(({ task }) => task.key);
}

export function textsListed(listed: readonly ListedTask[]): string[] {
  return listed.map(({ task }) => Buffer.from(task.body ?? []).toString());
}

/** Waits until the store's clock has moved on, so that what comes next is later than what was before. */
export async function untilLater(store: Store): Promise<number> {
  const before = await store.now();
  return until("the clock of the store moves on", async () => {
    const now = await store.now();
    return now > before && now;
  });
}
