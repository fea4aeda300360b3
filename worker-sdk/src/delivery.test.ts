import { Deliver, SubscribeResponse, Task, type Delivery as WireDelivery } from "@taskwire/proto";
import { describe, expect, it } from "vitest";
import { deliveriesOf, readDeliver } from "./delivery.ts";
import { InvalidPayload } from "./errors.ts";

const TASK = Task.fromPartial({
  id: "01ABC",
  type: "mail/send",
  queue: "mail.send",
  payload: Buffer.from('{"to":"ä@b.c"}'),
  contentType: "application/json; charset=utf-8",
  headers: { traceparent: "00-1", __proto: "x" },
  priority: -7,
  maxRetries: 3,
  timeout: { seconds: 5, nanos: 0 },
  enqueueTime: { seconds: 1_700_000_000, nanos: 250_000_000 },
});

function frameOf(deliveries: Partial<WireDelivery>[]): Buffer {
  const deliver = Deliver.fromPartial({ deliveries });
  return Buffer.from(SubscribeResponse.encode({ frame: { $case: "deliver", value: deliver } }).finish());
}

describe("readDeliver", () => {
  it("reads every field of a delivery", () => {
    const frame = frameOf([
      { tag: 1, attempt: 1, leaseToken: "first", task: Task.fromPartial({ type: "a" }) },
      { tag: 2 ** 40 + 1, attempt: 300, leaseToken: "second", deadlineTime: { seconds: 9, nanos: 0 }, task: TASK },
    ]);

    const [first, second] = readDeliver(frame) ?? [];

    expect(first).toMatchObject({
      tag: 1,
      attempt: 1,
      leaseToken: "first",
      id: "",
      type: "a",
      priority: 0,
      contentType: "",
    });
    expect(first?.headers).toEqual({});
    expect(first?.payload).toEqual(Buffer.alloc(0));
    expect(second).toMatchObject({ tag: 2 ** 40 + 1, attempt: 300, leaseToken: "second", priority: -7 });
    expect(second?.toJSON()).toEqual({
      id: "01ABC",
      type: "mail/send",
      queue: "mail.send",
      payload: { to: "ä@b.c" },
      contentType: "application/json; charset=utf-8",
      headers: { traceparent: "00-1", __proto: "x" },
      priority: -7,
      attempt: 300,
      enqueuedAt: new Date(1_700_000_000_250),
    });
    expect(Buffer.from(second?.bytes ?? []).toString()).toBe('{"to":"ä@b.c"}');
  });

  it("leaves other frames to the generated decoder", () => {
    const heartbeat = SubscribeResponse.encode({ frame: { $case: "heartbeat", value: { sequence: 1 } } }).finish();

    expect(readDeliver(Buffer.from(heartbeat))).toBeUndefined();
  });

  it("reads a frame that the generated decoder has read", () => {
    const deliver = Deliver.fromPartial({
      deliveries: [
        { tag: 5, attempt: 2, leaseToken: "t", task: TASK },
        { tag: 6, task: TASK },
      ],
    });

    const deliveries = deliveriesOf(deliver);

    expect(deliveries.map(({ tag, id, type }) => ({ tag, id, type }))).toEqual([
      { tag: 5, id: "01ABC", type: "mail/send" },
      { tag: 6, id: "01ABC", type: "mail/send" },
    ]);
  });

  it("merges a task that comes in two pieces, and steps over fields that it does not know", () => {
    const unknown = Buffer.from([
      0xf8, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0xfd, 0x07, 1, 2, 3, 4,
    ]);
    const piece = (task: Partial<Task>) => {
      const bytes = Task.encode(Task.fromPartial(task)).finish();
      return Buffer.concat([Buffer.from([0x7a, bytes.length + unknown.length]), bytes, unknown]);
    };
    const delivery = Buffer.concat([
      Buffer.from([0x08, 3]),
      unknown,
      piece({ id: "x", headers: { a: "1" } }),
      piece({ type: "t", headers: { b: "2" } }),
    ]);
    const frame = Buffer.concat([Buffer.from([0x12, delivery.length + 2, 0x0a, delivery.length]), delivery]);

    const [read] = readDeliver(frame) ?? [];

    expect(read).toMatchObject({ tag: 3, id: "x", type: "t" });
    expect(read?.headers).toEqual({ a: "1", b: "2" });
  });

  it("refuses every cut of a frame instead of reading past its end", () => {
    const frame = frameOf([{ tag: 1, attempt: 1, leaseToken: "token", task: TASK }]);

    for (let length = 2; length < frame.length; length++) {
      expect(() => readDeliver(frame.subarray(0, length)), `cut at ${length}`).toThrow(RangeError);
    }
  });

  it("decodes a payload once, and says clearly when it is not the JSON that it claims to be", () => {
    const json = { contentType: "application/json", type: "email" };
    const [good, bad, bytes] =
      readDeliver(
        frameOf([
          { task: Task.fromPartial({ ...json, payload: Buffer.from("[1]") }) },
          { task: Task.fromPartial({ ...json, payload: Buffer.from("{to:") }) },
          { task: Task.fromPartial({ type: "email", payload: Buffer.from("{to:") }) },
        ]),
      ) ?? [];

    expect(good?.payload).toBe(good?.payload);
    expect(() => bad?.payload).toThrow(InvalidPayload);
    expect(() => bad?.payload).toThrow(/payload of this email task is not JSON/);
    expect(bytes?.payload).toEqual(Buffer.from("{to:"));
  });
});
