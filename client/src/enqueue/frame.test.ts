import { EnqueueStreamRequest } from "@taskwire/proto";
import { expect, it } from "vitest";
import { SingleCaller } from "./caller.ts";
import { Frame, MAX_FRAME_BYTES, MAX_FRAME_TASKS } from "./frame.ts";
import { taskParts } from "./task-bytes.ts";

const PRODUCER_ID = Buffer.from("12345678");

function frameOf(types: readonly string[]): Frame {
  const frame = new Frame("q", 16);
  for (const type of types) frame.add(taskParts(type, null, undefined), newCaller());
  return frame;
}

function newCaller(): SingleCaller {
  return new SingleCaller({ deadlineAt: Number.POSITIVE_INFINITY, deadlineMs: 1, signal: undefined }, "a");
}

function typesIn(frame: Frame): string[] {
  return EnqueueStreamRequest.decode(frame.bytes).tasks.map(({ type }) => type);
}

it.each([1, 127, 128, 2 ** 31, 2 ** 53 - 1])("is a request with sequence %d", (sequence) => {
  const frame = frameOf(["a", "b", "c"]);

  frame.seal(sequence, PRODUCER_ID);

  const request = EnqueueStreamRequest.decode(frame.bytes);
  expect(request.sequence).toBe(sequence);
  expect(Buffer.from(request.producerId)).toEqual(PRODUCER_ID);
  expect(typesIn(frame)).toEqual(["a", "b", "c"]);
});

it("is full at the number of tasks that a broker takes", () => {
  const frame = frameOf(Array.from({ length: MAX_FRAME_TASKS - 1 }, () => "a"));

  expect(frame.hasRoomFor(10)).toBe(true);
  frame.add(taskParts("a", null, undefined), newCaller());
  expect(frame.hasRoomFor(10)).toBe(false);
});

it("stays below its size, but takes any task when it is empty", () => {
  expect(new Frame("q", 16).hasRoomFor(2 * MAX_FRAME_BYTES)).toBe(true);
  expect(frameOf(["a"]).hasRoomFor(MAX_FRAME_BYTES - 100)).toBe(true);
  expect(frameOf(["a"]).hasRoomFor(MAX_FRAME_BYTES)).toBe(false);
});

it("gives some of its tasks, with their callers, to a new frame", () => {
  const frame = frameOf(["a", "b", "c", "d"]);
  frame.seal(1, PRODUCER_ID);

  const part = frame.only((index) => index % 2 === 1);
  part.seal(2, PRODUCER_ID);

  expect(typesIn(part)).toEqual(["b", "d"]);
  expect(part.callers).toEqual([frame.callers[1], frame.callers[3]]);
  expect(typesIn(frame)).toEqual(["a", "b", "c", "d"]);
});
