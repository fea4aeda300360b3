import { test as base, expect, onTestFinished, vi } from "vitest";
import { TaskwireError } from "../../domain/errors.ts";
import { createLogger } from "../../observe/logger.ts";
import type { Write } from "./database.ts";
import { type Call, Journal } from "./journal.ts";
import { Producers } from "./producers.ts";
import { Queue } from "./queue.ts";
import { Stamps } from "./stamps.ts";
import type { Turn } from "./turn.ts";

/** A disk whose commits end when, and as, the test says. */
class FakeDisk {
  readonly path = "tasks.mdb";
  /** The names of the records that each commit put. */
  readonly commits: string[][] = [];
  readonly #ends: ((error?: Error) => void)[] = [];
  #begun: (() => void) | undefined;

  commit(writes: readonly Write[]): Promise<void> {
    this.commits.push(writes.map(({ key }) => key.toString("latin1", 5)));
    this.#begun?.();
    return new Promise((resolve, reject) => this.#ends.push((error) => (error ? reject(error) : resolve())));
  }

  async isFull(error: unknown): Promise<boolean> {
    return error === FULL;
  }

  /** Waits for the next commit and ends it. */
  async end(error?: Error): Promise<void> {
    if (this.#ends.length === 0) {
      await new Promise<void>((resolve) => {
        this.#begun = resolve;
      });
    }
    this.#ends.shift()?.(error);
  }
}

const FULL = new Error("no space left on device");

interface Fixtures {
  readonly disk: FakeDisk;
  readonly journal: Journal;
  readonly heard: string[];
  readonly reserve: { isUsed: boolean; use(): Promise<boolean> };
  /** An enqueue, or, when it does not grow, a settlement. */
  readonly call: (name: string, queue: Queue, grows?: boolean) => Call;
}

const test = base.extend<Fixtures>({
  disk: async ({}, use) => use(new FakeDisk()),
  heard: async ({}, use) => use([]),
  reserve: async ({}, use) => {
    const reserve = {
      isUsed: false,
      use: async () => {
        const isNew = !reserve.isUsed;
        reserve.isUsed = true;
        return isNew;
      },
    };
    await use(reserve);
  },
  journal: async ({ disk, heard, reserve }, use) => {
    const logger = createLogger("silent", false);
    const onBroken = () => heard.push("broken");
    await use(new Journal({ database: disk, stamps: new Stamps(), reserve, brokerId: "me", logger, onBroken }));
  },
  call: async ({ heard }, use) => {
    await use((name, queue, grows = true) => ({
      queue,
      grows,
      canWait: !grows,
      prepare: (turn: Turn) => {
        turn.put("a", queue, name, Buffer.from(name));
        turn.onUndo(() => heard.push(`${name} undone`));
      },
      publish: () => heard.push(`${name} published`),
      fail: (error) =>
        heard.push(`${name} failed: ${error instanceof TaskwireError ? `${error.code} ${error.effect}` : error}`),
    }));
  },
});

const newQueue = (name: string) => new Queue(name, new Producers());

/** Three commits within no time. From now on the clock stands still unless the test moves it. */
async function makeBusy({ disk, journal, call }: Pick<Fixtures, "disk" | "journal" | "call">, queue: Queue) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  for (const name of ["a", "b", "c"]) {
    journal.submit(call(name, queue));
    await disk.end();
    await journal.drained();
  }
}

test("calls of one tick travel in one commit, and those that come meanwhile in the next", async ({
  disk,
  journal,
  heard,
  call,
}) => {
  const queue = newQueue("emails");
  journal.submit(call("a", queue));
  journal.submit(call("b", queue));
  await disk.end();
  journal.submit(call("c", queue));
  journal.submit(call("d", queue));
  await disk.end();
  await journal.drained();

  expect(disk.commits).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  expect(heard).toEqual(["a published", "b published", "c published", "d published"]);
});

test("a look-up waits for the calls of its queue before it, and for no others", async ({
  disk,
  journal,
  heard,
  call,
}) => {
  const [queue, other] = [newQueue("emails"), newQueue("images")];
  journal.submit(call("a", queue));
  const waited = journal.read(queue, () => heard.push("looked"));
  journal.submit(call("b", queue));

  expect(await journal.read(other, () => "at once")).toBe("at once");
  expect(heard).toEqual([]);

  await disk.end();
  await waited;
  expect(heard).toEqual(["a published", "looked", "b published"]);
});

test("while commits are frequent, settlements share the commit of the next enqueue", async ({
  disk,
  journal,
  call,
}) => {
  const queue = newQueue("emails");
  await makeBusy({ disk, journal, call }, queue);
  journal.submit(call("settle", queue, false));
  await new Promise((resolve) => setImmediate(resolve));
  journal.submit(call("d", queue));
  await disk.end();
  await journal.drained();

  expect(disk.commits).toEqual([["a"], ["b"], ["c"], ["settle", "d"]]);
});

test("while commits are frequent, a look-up does not wait with the settlements before it", async ({
  disk,
  journal,
  call,
}) => {
  const queue = newQueue("emails");
  await makeBusy({ disk, journal, call }, queue);
  journal.submit(call("settle", queue, false));
  await new Promise((resolve) => setImmediate(resolve));
  const found = journal.read(queue, () => "found");
  await disk.end();

  expect(await found).toBe("found");
});

test("settlements wait no longer than 2 ms for company", async ({ disk, journal, heard, call }) => {
  const queue = newQueue("emails");
  await makeBusy({ disk, journal, call }, queue);
  journal.submit(call("settle", queue, false));
  await vi.advanceTimersByTimeAsync(1);
  expect(disk.commits).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1);
  await disk.end();
  await journal.drained();

  expect(heard.at(-1)).toBe("settle published");
});

test("on a full disk what would fill it fails without effect, and what drains it goes on", async ({
  disk,
  journal,
  heard,
  call,
}) => {
  const queue = newQueue("emails");
  journal.submit(call("enqueue", queue));
  journal.submit(call("settle", queue, false));

  await disk.end(FULL);
  await disk.end();
  await journal.drained();

  expect(disk.commits).toEqual([["enqueue", "settle"], ["settle"]]);
  expect(heard).toEqual(["settle undone", "enqueue undone", "enqueue failed: STORE_FULL none", "settle published"]);
  expect(queue.calls).toBe(0);
});

test("when not even settling has room it gets the reserve, and nothing is taken until that is back", async ({
  disk,
  journal,
  heard,
  reserve,
  call,
}) => {
  const queue = newQueue("emails");
  journal.submit(call("settle", queue, false));
  await disk.end(FULL);
  await disk.end();
  await journal.drained();
  journal.submit(call("enqueue", queue));
  await journal.drained();
  reserve.isUsed = false;
  journal.submit(call("later", queue));
  await disk.end();
  await journal.drained();

  expect(heard).toEqual(["settle undone", "settle published", "enqueue failed: STORE_FULL none", "later published"]);
});

test("after a write that failed nothing is tried any more", async ({ disk, journal, heard, call }) => {
  const queue = newQueue("emails");
  journal.submit(call("a", queue));
  await disk.end(new Error("input/output error"));
  await journal.drained();
  journal.submit(call("b", queue));

  await expect(journal.read(queue, () => "found")).rejects.toThrow("input/output error");
  expect(heard).toEqual(["broken", "a failed: STORE_UNAVAILABLE unknown", "b failed: STORE_UNAVAILABLE none"]);
  expect(disk.commits).toHaveLength(1);
});
