import { expect, it } from "vitest";
import { invalidTasks } from "./invalid-tasks.ts";

it("gives each task its own wrong fields, without the path of the frame", () => {
  const fields = [
    { field: "tasks[3].type", description: "is empty" },
    { field: "tasks[12].retry.jitter", description: "is 2" },
    { field: "tasks[3].priority", description: "is too high" },
    { field: "tasks[4]", description: "cannot be read" },
  ];

  const errors = invalidTasks({ code: 3, message: "", reason: "INVALID_ARGUMENT", fields, retryAfterMs: undefined });

  expect([...errors.keys()]).toEqual([3, 12, 4]);
  expect(errors.get(3)?.fields).toEqual([
    { field: "type", description: "is empty" },
    { field: "priority", description: "is too high" },
  ]);
  expect(errors.get(3)).toMatchObject({ name: "InvalidTask", code: "INVALID_ARGUMENT", effect: "none" });
  expect(errors.get(3)?.message).toBe("type is empty; priority is too high");
  expect(errors.get(12)?.fields).toEqual([{ field: "retry.jitter", description: "is 2" }]);
  expect(errors.get(4)?.fields).toEqual([{ field: "task", description: "cannot be read" }]);
});

it("finds no task in a refusal of the frame as a whole", () => {
  const fields = [{ field: "producer_id", description: "has 3 bytes" }];

  expect(invalidTasks({ code: 3, message: "", reason: "", fields, retryAfterMs: undefined }).size).toBe(0);
});
