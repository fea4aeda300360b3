import { TaskStatus as ProtoTaskStatus, TaskState } from "@taskwire/proto";
import { expect, it } from "vitest";
import { toTaskStatus } from "./task-status.ts";

it("tells all that the broker knows of an active task", () => {
  const status = ProtoTaskStatus.fromPartial({
    task: { id: "t", queue: "q", type: "email", payload: new Uint8Array([1]), contentType: "x/y", headers: { a: "b" } },
    state: TaskState.ACTIVE,
    attempt: 2,
    lostCount: 1,
    runTime: { seconds: 2, nanos: 500_000_000 },
    workerId: "w",
    progressPercent: 50,
    progressDetail: new Uint8Array([2]),
    lastResult: { success: false, errorMessage: "no", errorType: "E", duration: { seconds: 1, nanos: 250_000_000 } },
    attempts: [
      { attempt: 1, outcome: 2, wait: { seconds: 1 }, duration: { seconds: 2 }, errorType: "E", errorStack: "at f" },
    ],
    waitingReason: "held by worker w since yesterday",
  });

  expect(toTaskStatus(status)).toEqual({
    taskId: "t",
    queue: "q",
    state: "active",
    attempt: 2,
    lostCount: 1,
    runTime: new Date(2_500),
    workerId: "w",
    progressPercent: 50,
    progressDetail: new Uint8Array([2]),
    lastResult: {
      success: false,
      result: new Uint8Array(),
      errorMessage: "no",
      errorType: "E",
      durationMs: 1_250,
      workerId: "",
      endTime: undefined,
    },
    attempts: [
      {
        attempt: 1,
        outcome: "failed",
        workerId: "",
        waitMs: 1_000,
        durationMs: 2_000,
        endTime: undefined,
        errorType: "E",
        errorMessage: "",
        errorStack: "at f",
      },
    ],
    waitingReason: "held by worker w since yesterday",
    type: "email",
    payload: new Uint8Array([1]),
    contentType: "x/y",
    headers: { a: "b" },
    priority: 0,
    enqueueTime: undefined,
  });
});
