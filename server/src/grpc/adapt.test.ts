import { EventEmitter } from "node:events";
import type { StatusObject } from "@grpc/grpc-js";
import { Status } from "@taskwire/proto";
import { expect, test } from "vitest";
import type { FrameStream } from "../api/call.ts";
import { OpenCalls } from "../api/open-calls.ts";
import { TaskwireError } from "../domain/errors.ts";
import { createLogger } from "../observe/logger.ts";
import { bidi } from "./adapt.ts";

const logger = createLogger("silent", false);

/** As much of a call as the adapter touches. */
class FakeCall extends EventEmitter {
  write(): boolean {
    return true;
  }

  end(): void {}
}

/** Opens a stream with so many unanswered frames, ends it by `end`, and returns the kinds of details that its status has. */
function detailsAfter(unanswered: number, end: (stream: FrameStream, calls: OpenCalls) => void): readonly string[] {
  const call = new FakeCall();
  const calls = new OpenCalls();
  let status: StatusObject | undefined;
  call.on("error", (error: StatusObject) => {
    status ??= error;
  });
  let opened: FrameStream | undefined;
  const open = bidi(
    (stream) => {
      opened = stream;
      return { unanswered, frame() {}, drained() {}, ended() {}, closed() {} };
    },
    { logger, calls },
  );
  // The adapter needs no more of a call than the fake one has.
  open(call as never);
  if (opened) end(opened, calls);
  const details = status?.metadata.get("grpc-status-details-bin")[0];
  if (!Buffer.isBuffer(details)) throw new Error("the stream did not end with details");
  return Status.decode(details).details.map(({ typeUrl }) => typeUrl.replace("type.googleapis.com/google.rpc.", ""));
}

test("a stream without unanswered frames that ends says that nothing more happened", () => {
  expect(detailsAfter(0, (_, calls) => calls.endAll())).toEqual(["ErrorInfo", "RetryInfo"]);
});

test("a stream with unanswered frames that ends says nothing of what they did", () => {
  const silent = new TaskwireError("SESSION_TIMED_OUT", "silent", { retryAfterMs: 0 });

  expect(detailsAfter(1, (_, calls) => calls.endAll())).toEqual(["RetryInfo"]);
  expect(detailsAfter(1, (stream) => stream.fail(silent))).toEqual(["RetryInfo"]);
});
