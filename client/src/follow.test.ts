import { once } from "node:events";
import { createServer } from "node:net";
import { AttemptResult, Task, TaskState, TaskStatus } from "@taskwire/proto";
import { describe, expect, it } from "vitest";
import { Brokers } from "./brokers.ts";
import { TaskFailed } from "./errors.ts";
import { awaitTask, getTask, resultOf } from "./follow.ts";
import { Patience } from "./patience.ts";
import { toTaskStatus } from "./task-status.ts";

function ended(state: TaskState, result: Partial<AttemptResult>) {
  const task = Task.fromPartial({ id: "t1", queue: "email" });
  const lastResult = AttemptResult.fromPartial(result);
  return toTaskStatus(TaskStatus.fromPartial({ task, state, attempt: 4, lastResult }));
}

describe("the result of a task", () => {
  it.each([
    ['{"sent":true}', { sent: true }],
    ["[1,2]", [1, 2]],
    ['"ok"', "ok"],
    ["null", null],
    ["", undefined],
  ])("is what %s says as JSON", (json, value) => {
    expect(resultOf(ended(TaskState.COMPLETED, { success: true, result: Buffer.from(json) }))).toEqual(value);
  });

  it.each([[[0xff, 0xfe]], [[...Buffer.from("{broken")]]])("is bytes when it is not JSON (%#)", (bytes) => {
    const result = resultOf(ended(TaskState.COMPLETED, { success: true, result: Buffer.from(bytes) }));

    expect([...(result as Uint8Array)]).toEqual(bytes);
  });

  it.each([
    [TaskState.DEAD, "dead"],
    [TaskState.CANCELLED, "cancelled"],
  ])("is an error when the task ended without success (%#)", (state, name) => {
    const status = ended(state, { errorType: "SmtpError", errorMessage: "mailbox full" });

    expect(() => resultOf(status)).toThrow(TaskFailed);
    expect(() => resultOf(status)).toThrow(
      expect.objectContaining({
        state: name,
        taskId: "t1",
        attempt: 4,
        errorType: "SmtpError",
        errorMessage: "mailbox full",
      }),
    );
  });
});

describe("a deadline that passes", () => {
  it.each([
    [awaitTask, "task t1 has not ended within 50 ms"],
    [getTask, "no answer about task t1 within 50 ms"],
  ])("is an error that names the task and the time (%#)", async (call, message) => {
    // It takes connections, and says nothing.
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const brokers = new Brokers([`127.0.0.1:${typeof address === "object" ? address?.port : 0}`]);
    const patience = new Patience({ deadlineMs: 50, signal: undefined }, new AbortController().signal);

    await expect(call(brokers, patience, { taskId: "t1", queue: "" })).rejects.toMatchObject({
      name: "DeadlineExceeded",
      message,
    });

    patience.end();
    brokers.close();
    silent.close();
  });
});
