import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LIMITS } from "../domain/limits.ts";
import { refuse, whenGone, write } from "./answer.ts";

/** As much of a response as is touched here. Its reader takes nothing unless it says so. */
class FakeResponse extends EventEmitter {
  readonly written: unknown[] = [];
  destroyed = false;
  writableEnded = false;
  writableFinished = false;
  headersSent = true;

  write(chunk: unknown): boolean {
    this.written.push(chunk);
    return false;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function fake(): { readonly fakeResponse: FakeResponse; readonly response: ServerResponse } {
  const fakeResponse = new FakeResponse();
  const any: unknown = fakeResponse;
  return { fakeResponse, response: any as ServerResponse };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a reader that catches up gets the next", async () => {
  const { fakeResponse, response } = fake();
  const writing = write(response, "one");

  vi.advanceTimersByTime(LIMITS.httpBehindMs - 1);
  fakeResponse.emit("drain");

  expect(await writing).toBe(true);
  vi.advanceTimersByTime(LIMITS.httpBehindMs);
  expect(fakeResponse.destroyed).toBe(false);
  expect(fakeResponse.listenerCount("drain") + fakeResponse.listenerCount("close")).toBe(0);
});

test("a reader that stays behind is cut off, and nothing more is written to it", async () => {
  const { fakeResponse, response } = fake();
  const writing = write(response, "one");

  vi.advanceTimersByTime(LIMITS.httpBehindMs);

  expect(await writing).toBe(false);
  expect(fakeResponse.destroyed).toBe(true);
  expect(await write(response, "two")).toBe(false);
  expect(fakeResponse.written).toEqual(["one"]);
});

test("a caller is gone when its connection closes before the answer is complete", () => {
  const [early, late] = [fake(), fake()];
  const signals = [whenGone(early.response), whenGone(late.response)];

  late.fakeResponse.writableFinished = true;
  for (const { fakeResponse } of [early, late]) fakeResponse.emit("close");

  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test("an error amid an answer breaks it off, and one after its end does nothing", () => {
  const [amid, after] = [fake(), fake()];
  after.fakeResponse.writableEnded = true;

  for (const { response } of [amid, after]) refuse(response, new ConnectError("no", Code.Internal));

  expect([amid, after].map(({ fakeResponse }) => fakeResponse.destroyed)).toEqual([true, false]);
});
