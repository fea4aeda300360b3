import { describe, expect, test } from "vitest";
import type { NewTask } from "../store.ts";
import { EnqueueBatch, readSlot } from "./enqueue-batch.ts";
import { BlockLease } from "./held-lease.ts";

describe("the enqueues of one tick", () => {
  test("share blocks, and each call is told its own keys", () => {
    const batch = new EnqueueBatch([request(100), request(100)], 0);

    const [first, second] = batch.answers("1790000000000-0,1790000000000-1|");

    expect(batch.counts).toEqual({ calls: 0, types: 1, items: 2, tasks: 200 });
    expect(batch.blocks.map((block) => block[1])).toEqual([128, 72]);
    const keys = [...(first ?? []), ...(second ?? [])].map(({ key }) => key);
    expect(new Set(keys).size).toBe(200);
    expect(keys[127]?.slice(-2)).toBe("3Z");
    expect(keys[128]?.slice(-2)).toBe("00");
  });

  test("do not mix tasks with options and without", () => {
    const batch = new EnqueueBatch([request(2, { hasOptions: true }), request(2)], 0);

    expect(batch.blocks.map((block) => [block[0], block[1]])).toEqual([
      [1, 2],
      [0, 2],
    ]);
  });

  test("give the bodies of any slice back from memory", () => {
    const bodies = [Buffer.from("a"), Buffer.alloc(300, 98), Buffer.from("ccc")];
    const tasks = bodies.map((body) => newTask({ body }));
    const batch = new EnqueueBatch([{ tasks, producer: undefined }], 0);
    const slice = (first: number, count: number) =>
      batch.bodies(1, new BlockLease(`b 1-0 ABCDEF ${first} ${count} 3 --`));

    expect(slice(0, 3)).toEqual(
      Buffer.concat([bytes(1), bytes(97), bytes(0xac, 2), Buffer.alloc(300, 98), Buffer.from("\x03ccc")]),
    );
    expect(slice(1, 1)).toEqual(Buffer.concat([bytes(0xac, 2), Buffer.alloc(300, 98)]));
    expect(slice(2, 1)).toEqual(Buffer.from("\x03ccc"));
  });

  test("keep the place of a task alone that is ready at once", () => {
    const tasks = [newTask(), newTask({ key: "=named" }), newTask()];
    const batch = new EnqueueBatch([{ tasks, producer: undefined }], 0);

    expect(batch.blocks).toHaveLength(2);
    expect(batch.list.filter((arg) => arg === "a" || arg === "b")).toEqual(["b", "a", "b"]);
  });

  test("can be told once more what they were told, from what the store kept", () => {
    const tasks = [newTask(), newTask({ key: "=named" }), newTask({ delayMs: 50 }), newTask()];
    const batch = new EnqueueBatch([{ tasks, producer: { id: "00ff00ff00ff00ff", sequence: 7 } }], 0);
    const answer = "1790000000000-0,1790000000000-1|er,c1790000000050";
    const [, , template] = batch.list;

    const slot = `7|${String(template)}|${batch.nonce}|${answer}`;

    expect(readSlot(slot)).toEqual(batch.answers(answer)[0]);
    expect(readSlot(slot)).toMatchObject([
      { kind: "created", state: "ready" },
      { kind: "existing", key: "=named", state: "ready" },
      { kind: "created", state: "scheduled", runAtMs: 1_790_000_000_050 },
      { kind: "created", state: "ready" },
    ]);
  });
});

function newTask(changes: Partial<NewTask> = {}): NewTask {
  const plain = {
    body: Buffer.from("body"),
    type: "email",
    key: undefined,
    priority: 0,
    delayMs: 0,
    runAtMs: 0,
    hasOptions: false,
  };
  return { ...plain, ...changes };
}

function request(count: number, changes: Partial<NewTask> = {}) {
  return { tasks: Array.from({ length: count }, () => newTask(changes)), producer: undefined };
}

function bytes(...values: number[]): Buffer {
  return Buffer.from(values);
}
