import {
  BadRequest,
  EnqueueResponse_Durability as Durability,
  EnqueueStreamResponse,
  EnqueueResponse_Outcome as Outcome,
  TaskState,
} from "@taskwire/proto";
import { expect, it } from "vitest";
import { readAnswer } from "./answer.ts";

function encode(response: Parameters<typeof EnqueueStreamResponse.fromPartial>[0]): Buffer {
  return Buffer.from(EnqueueStreamResponse.encode(EnqueueStreamResponse.fromPartial(response)).finish());
}

it("reads what became of each task", () => {
  const bytes = encode({
    sequence: 2 ** 40 + 5,
    result: {
      $case: "accepted",
      value: {
        tasks: [
          { taskId: "a", outcome: Outcome.CREATED, state: TaskState.READY, durability: Durability.FSYNC },
          {
            taskId: "b",
            outcome: Outcome.EXISTING,
            state: TaskState.SCHEDULED,
            runTime: { seconds: 1_700_000_000, nanos: 5_000_000 },
            durability: Durability.VOLATILE,
          },
        ],
      },
    },
  });

  expect(readAnswer(bytes)).toEqual({
    sequence: 2 ** 40 + 5,
    refusal: undefined,
    accepted: [
      { taskId: "a", outcome: "created", state: "ready", runTime: undefined, durability: "fsync" },
      {
        taskId: "b",
        outcome: "existing",
        state: "scheduled",
        runTime: new Date(1_700_000_000_005),
        durability: "volatile",
      },
    ],
  });
});

it("reads why a frame was refused", () => {
  const fieldViolations = [{ field: "tasks[0].type", description: "is empty" }];
  const value = Buffer.from(BadRequest.encode({ fieldViolations }).finish());
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.BadRequest", value }];

  const answer = readAnswer(
    encode({ sequence: 1, result: { $case: "error", value: { code: 3, message: "no", details } } }),
  );

  expect(answer).toMatchObject({ sequence: 1, accepted: [], refusal: { code: 3, message: "no" } });
  expect(answer.refusal?.fields).toMatchObject(fieldViolations);
});

it("passes over fields that a later broker may add, and reads unknown values as unknown", () => {
  const unknownFields = Buffer.from([0xa0, 0x06, 0x01, 0xaa, 0x06, 0x02, 1, 2, 0xad, 0x06, 1, 2, 3, 4]);
  const task = { taskId: "a", outcome: 77 as never, state: 78 as never, durability: 79 as never };
  const known = encode({ sequence: 9, result: { $case: "accepted", value: { tasks: [task] } } });

  expect(readAnswer(Buffer.concat([unknownFields, known, unknownFields]))).toMatchObject({
    sequence: 9,
    accepted: [{ taskId: "a", outcome: "unknown", state: "unknown", durability: "unknown" }],
  });
});

it.each([[[0x08]], [[0x12, 0x05, 0x0a]], [[0x0f]]])("does not take %j for an answer", (bytes) => {
  expect(() => readAnswer(Buffer.from(bytes))).toThrow(RangeError);
});
