/** ReviveTasks and DeleteTasks. */
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { refused } from "../support/rpc.ts";
import { onEachStore } from "./broker-test.ts";
import { buryAll, listAll } from "./steering.ts";
import { enqueueMany, untilState } from "./tasks.ts";

onEachStore((test) => {
  describe("revived tasks", () => {
    test("are delivered again with their retries from the start, and remember their attempts", async ({
      rpc,
      queue,
      subscribe,
    }) => {
      const ids = await enqueueMany(rpc, queue, 2, { maxRetries: 0 });
      const session = subscribe();
      await buryAll(rpc, session, { ids });

      expect(await rpc.tasks.reviveTasks({ tasks: { taskIds: ids } })).toEqual({ revived: 2 });

      const again = (await session.untilDelivered(4)).slice(2);
      expect(again.map(({ attempt, task }) => [attempt, task?.id]).sort()).toEqual(ids.map((id) => [1, id]).sort());
      const { status } = await rpc.tasks.getTask({ taskId: ids[0] ?? "" });
      expect(status).toMatchObject({
        state: TaskState.ACTIVE,
        attempt: 1,
        attempts: [
          {
            attempt: 1,
            outcome: 2,
            errorType: "TypeError",
            errorMessage: "gone",
            errorStack: expect.stringMatching(/at/),
          },
        ],
      });
    });

    test("are those of a queue, or of a group of failures", async ({ rpc, queue, subscribe }) => {
      const ids = await enqueueMany(rpc, queue, 250);
      const session = subscribe({ window: { maxInFlight: 250 } });
      await buryAll(rpc, session, { ids, message: (i) => (i % 5 === 0 ? `row ${i} locked` : "mailbox full") });
      session.close();
      const { groups } = await rpc.tasks.listFailures({ queue });
      const failureId = groups.find(({ message }) => message === "row … locked")?.id ?? "";

      expect(await rpc.tasks.reviveTasks({ tasks: { queue, failureId } })).toEqual({ revived: 50 });
      expect((await rpc.tasks.listFailures({ queue })).groups).toMatchObject([{ message: "mailbox full", count: 200 }]);
      expect(await rpc.tasks.reviveTasks({ tasks: { queue } })).toEqual({ revived: 200 });

      const { queue: one } = await rpc.queues.getQueue({ queue });
      expect(one?.counters).toMatchObject({ dead: 0, ready: 250, buried: 250, revived: 250 });
      expect((await rpc.tasks.listFailures({ queue })).groups).toEqual([]);
    });
  });

  test("deleted tasks are gone", async ({ rpc, queue, subscribe }) => {
    const ids = await enqueueMany(rpc, queue, 3);
    await buryAll(rpc, subscribe(), { ids });

    expect(await rpc.tasks.deleteTasks({ tasks: { taskIds: ids.slice(0, 1) } })).toEqual({ deleted: 1 });
    expect(await rpc.tasks.deleteTasks({ tasks: { queue } })).toEqual({ deleted: 2 });

    expect(await refused((options) => rpc.tasks.getTask({ taskId: ids[0] ?? "" }, options))).toMatchObject({ code: 5 });
    expect((await listAll(rpc, { state: TaskState.DEAD, queue })).ids).toEqual([]);
    const { queue: one } = await rpc.queues.getQueue({ queue });
    expect(one?.counters).toMatchObject({ dead: 0, deleted: 3 });
  });

  test("what is not dead is named, and nothing is changed", async ({ rpc, queue, subscribe }) => {
    const [dead = ""] = await enqueueMany(rpc, queue, 1);
    const session = subscribe({ window: { maxInFlight: 1 } });
    await buryAll(rpc, session, { ids: [dead] });
    session.close();
    await session.ended();
    const [ready = ""] = await enqueueMany(rpc, queue, 1);

    for (const call of [rpc.tasks.reviveTasks, rpc.tasks.deleteTasks]) {
      expect(await refused((options) => call({ tasks: { taskIds: [dead, ready] } }, options))).toMatchObject({
        code: 9,
        reason: "TASK_NOT_DEAD",
        message: expect.stringContaining(`"${ready}" is ready`),
      });
    }
    await untilState(rpc, dead, TaskState.DEAD);
  });

  test("a selection that would touch everything must say so", async ({ rpc, queue }) => {
    for (const call of [rpc.tasks.reviveTasks, rpc.tasks.deleteTasks]) {
      for (const tasks of [undefined, {}]) {
        expect(await refused((options) => call({ tasks }, options))).toMatchObject({ code: 3, reason: "ALL_NEEDED" });
      }
      const mixed = { tasks: { taskIds: ["x"], queue, failureId: "F", all: true } };
      expect(await refused((options) => call(mixed, options))).toMatchObject({ fields: [{ field: "tasks.task_ids" }] });
      const misspelt = { tasks: { taskIds: ["fine", "a b", ""], queue } };
      expect(await refused((options) => call(misspelt, options))).toMatchObject({
        code: 3,
        fields: [{ field: "tasks.task_ids[1]" }, { field: "tasks.task_ids[2]" }],
      });
      const homeless = { tasks: { failureId: "F" } };
      expect(await refused((options) => call(homeless, options))).toMatchObject({ fields: [{ field: "tasks.queue" }] });
    }
  });
});
