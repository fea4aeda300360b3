/** ListTasks: what stands in each state, page by page. */
import { randomBytes } from "node:crypto";
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { refused } from "../support/rpc.ts";
import { onEachStore } from "./broker-test.ts";
import { buryAll, listAll } from "./steering.ts";
import { enqueueMany, untilState } from "./tasks.ts";

onEachStore((test) => {
  describe("a list", () => {
    test("has the tasks of one state, newest first, page by page", async ({ rpc, queue }) => {
      const ids = await enqueueMany(rpc, queue, 25);
      await rpc.tasks.enqueue({ type: "email", queue, schedule: { $case: "delay", value: { seconds: 3_600 } } });

      const listed = await listAll(rpc, { state: TaskState.READY, queue, pageSize: 10 });

      expect(listed).toEqual({ ids: ids.reverse(), pages: 3 });
    });

    test("goes on where it was, whatever comes and goes meanwhile", async ({ rpc, queue, subscribe }) => {
      const ids = await enqueueMany(rpc, queue, 20);
      const first = await rpc.tasks.listTasks({ state: TaskState.READY, queue, pageSize: 5 });
      await enqueueMany(rpc, queue, 10);
      await subscribe({ window: { maxInFlight: 7 } }).untilDelivered(7);

      const { nextPageToken: pageToken } = first;
      const rest = await rpc.tasks.listTasks({ state: TaskState.READY, queue, pageSize: 100, pageToken });

      expect(rest.tasks.map(({ task }) => task?.id)).toEqual(ids.slice(7, 15).reverse());
      expect(rest.nextPageToken).toBe("");
    });

    test("shows what is with a worker, what is scheduled, and what has ended", async ({ rpc, queue, subscribe }) => {
      const [done = "", held = ""] = await enqueueMany(rpc, queue, 2);
      const delay = { $case: "delay", value: { seconds: 3_600 } } as const;
      const { taskId: later } = await rpc.tasks.enqueue({ type: "email", queue, schedule: delay });
      const session = subscribe();
      const [delivery] = await session.untilDelivered(2);
      await session.settle({ ackTags: [delivery?.tag ?? 0] });
      await untilState(rpc, done, TaskState.COMPLETED);

      const list = async (state: TaskState) => (await listAll(rpc, { state, queue })).ids;

      expect(await list(TaskState.ACTIVE)).toEqual([held]);
      const { tasks: active } = await rpc.tasks.listTasks({ state: TaskState.ACTIVE, queue });
      expect(active[0]?.workerId).toBe((await rpc.tasks.getTask({ taskId: held })).status?.workerId);
      expect(active[0]?.workerId).not.toBe("");
      expect(await list(TaskState.SCHEDULED)).toEqual([later]);
      expect(await list(TaskState.COMPLETED)).toEqual([done]);
      expect(await list(TaskState.DEAD)).toEqual([]);
    });

    test("of a type passes over all others", async ({ rpc, queue }) => {
      await enqueueMany(rpc, queue, 30);
      const sms = await enqueueMany(rpc, queue, 3, { type: "sms" });
      await enqueueMany(rpc, queue, 30);

      expect((await listAll(rpc, { state: TaskState.READY, queue, type: "sms", pageSize: 2 })).ids).toEqual(
        sms.reverse(),
      );
    });

    test("of all queues has each task once, the newest next", async ({ rpc, queue }) => {
      const names = ["a", "b", "c"].map((name) => `${queue}.${name}`);
      const delay = { $case: "delay", value: { seconds: 3_600 } } as const;
      const ids: string[] = [];
      for (let i = 0; i < 9; i++) {
        const answer = await rpc.tasks.enqueue({ type: `only-${queue}`, queue: names[i % 3] ?? "", schedule: delay });
        ids.push(answer.taskId);
      }

      const { ids: listed } = await listAll(rpc, { state: TaskState.SCHEDULED, type: `only-${queue}`, pageSize: 2 });

      expect(listed).toEqual(ids.reverse());
    });

    test("leaves out payloads that are large, which GetTask has", async ({ rpc, queue }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1, { payload: randomBytes(2_000) });

      const { tasks } = await rpc.tasks.listTasks({ state: TaskState.READY, queue });

      expect(tasks[0]?.task).toMatchObject({ id, type: "email" });
      expect(tasks[0]?.task?.payload).toHaveLength(0);
      expect((await rpc.tasks.getTask({ taskId: id })).status?.task?.payload).toHaveLength(2_000);
    });

    test("is refused with every wrong field named", async ({ rpc, queue }) => {
      const wrong = { state: TaskState.UNSPECIFIED, queue: "a b", type: "{x}", failureId: "F", pageSize: 501 };

      expect(await refused((options) => rpc.tasks.listTasks(wrong, options))).toMatchObject({
        code: 3,
        fields: [
          { field: "state" },
          { field: "queue" },
          { field: "type" },
          { field: "failure_id" },
          { field: "page_size" },
        ],
      });
      const ended = { state: TaskState.COMPLETED, queue, type: "email" };
      expect(await refused((options) => rpc.tasks.listTasks(ended, options))).toMatchObject({
        fields: [{ field: "type" }],
      });
    });

    test("refuses the token of another query, and what is none", async ({ rpc, queue }) => {
      await enqueueMany(rpc, queue, 3);
      const { nextPageToken } = await rpc.tasks.listTasks({ state: TaskState.READY, queue, pageSize: 1 });

      const [print, check, [, position]] = JSON.parse(Buffer.from(nextPageToken, "base64url").toString());
      const made = [
        [print, check, ["other", position]],
        [print, [queue, position]],
        [print, check],
      ].map((token) => Buffer.from(JSON.stringify(token)).toString("base64url"));

      for (const pageToken of made) {
        const call = { state: TaskState.READY, queue, pageToken };
        expect(await refused((options) => rpc.tasks.listTasks(call, options))).toMatchObject({
          code: 3,
          message: "page_token: is not a token of ListTasks: give the next_page_token of an answer",
        });
      }
      for (const pageToken of [nextPageToken, "%", "e30", Buffer.from("[1]").toString("base64url")]) {
        const call = { state: TaskState.SCHEDULED, queue, pageToken };
        expect(await refused((options) => rpc.tasks.listTasks(call, options))).toMatchObject({
          code: 3,
          fields: [{ field: "page_token" }],
        });
      }
    });
  });

  describe("failures", () => {
    test("that differ in numbers only are one group", async ({ rpc, queue, subscribe }) => {
      const ids = await enqueueMany(rpc, queue, 6);
      const message = (i: number) => (i < 4 ? `user ${i} not found` : "mailbox full");
      await buryAll(rpc, subscribe(), { ids, message });

      const groups = [...(await rpc.tasks.listFailures({ queue })).groups].sort((a, b) => a.count - b.count);

      expect(groups).toMatchObject([
        { queue, errorType: "TypeError", message: "mailbox full", count: 2, sampleTaskId: ids[5] },
        { queue, errorType: "TypeError", message: "user … not found", count: 4, sampleTaskId: ids[3] },
      ]);
      const failureId = groups[1]?.id ?? "";
      const { ids: listed } = await listAll(rpc, { state: TaskState.DEAD, queue, failureId, pageSize: 3 });
      expect([...listed].sort()).toEqual(ids.slice(0, 4).sort());
    });
  });
});
