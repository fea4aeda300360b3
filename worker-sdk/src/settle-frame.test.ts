import { Nack_Action, type Settle, SubscribeRequest } from "@taskwire/proto";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { deliveriesOf } from "./delivery.ts";
import { Execution } from "./execution.ts";
import { DONE, type Outcome, RELEASED } from "./outcome.ts";
import { encodeSettle } from "./settle-frame.ts";

const SOURCE = { log: pino({ level: "silent" }), progress: () => {}, extend: () => {}, settle: () => {} };

function ended(tag: number, outcome: Outcome): Execution {
  const [delivery] = deliveriesOf({
    deliveries: [{ tag, attempt: 1, deadlineTime: undefined, leaseToken: "", task: undefined }],
  });
  if (!delivery) throw new Error("no delivery");
  const execution = new Execution(delivery, SOURCE);
  execution.outcome = outcome;
  return execution;
}

function read(frame: Buffer): Settle {
  const request = SubscribeRequest.decode(frame).frame;
  if (request?.$case !== "settle") throw new Error(`not a settle: ${request?.$case}`);
  return request.value;
}

describe("encodeSettle", () => {
  it("packs acks without a result, whatever the length of their tags", () => {
    const tags = [1, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];

    const settle = read(
      encodeSettle(
        300,
        tags.map((tag) => ended(tag, DONE)),
      ),
    );

    expect(settle).toEqual({ settleId: 300, ackTags: tags, outcomes: [] });
  });

  it("writes each kind of outcome as the contract has it", () => {
    const failure = { errorType: "TypeError", message: "no", stack: "    at f" };
    const result = Buffer.alloc(200, 7);

    const settle = read(
      encodeSettle(1, [
        ended(1, { kind: "ack", result }),
        ended(2, { kind: "retry", afterMs: undefined, ...failure }),
        ended(3, { kind: "retry", afterMs: 1_500, ...failure }),
        ended(4, { kind: "bury", ...failure }),
        ended(5, { kind: "discard", ...failure }),
        ended(6, { kind: "snooze", afterMs: 250 }),
        ended(7, RELEASED),
        ended(8, DONE),
        ended(9, { kind: "ack", result: new Uint8Array() }),
      ]),
    );

    const nack = { errorType: "TypeError", errorMessage: "no", errorStack: "    at f" };
    expect(settle.ackTags).toEqual([8]);
    expect(settle.outcomes.map(({ tag, result: outcome }) => [tag, outcome?.value])).toEqual([
      [1, { result }],
      [2, { ...nack, action: Nack_Action.UNSPECIFIED, retryDelay: undefined }],
      [3, { ...nack, action: Nack_Action.RETRY, retryDelay: { seconds: 1, nanos: 500_000_000 } }],
      [4, { ...nack, action: Nack_Action.DEAD_LETTER, retryDelay: undefined }],
      [5, { ...nack, action: Nack_Action.DISCARD, retryDelay: undefined }],
      [6, { delay: { seconds: 0, nanos: 250_000_000 } }],
      [7, { delay: undefined }],
      [9, { result: Buffer.alloc(0) }],
    ]);
  });
});
