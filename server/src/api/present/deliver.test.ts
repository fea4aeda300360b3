import { PullTasksResponse, SubscribeResponse } from "@taskwire/proto";
import { expect, test } from "vitest";
import type { Delivery } from "../../delivery/session.ts";
import { INDEX_TEXT, taskId } from "../../domain/ids.ts";
import { leaseToken } from "../../domain/lease.ts";
import { joinBodies } from "../../store/bodies.ts";
import { encodeDeliver, encodePulled } from "./deliver.ts";

const BLOCK = "01KB0000000001ABCDEF";
const TIME = 1_790_000_000_123;

/** Neighbours that differ in one thing each, so that nothing is taken over from the one before. */
const DELIVERIES: readonly Delivery[] = [
  delivery({ block: `${BLOCK}00`, alone: true, sequence: 7 }, [TIME + 30_000]),
  delivery({ block: `${BLOCK}01`, alone: true, sequence: 8, attempt: 300 }, [TIME + 30_000]),
  delivery({ block: `${BLOCK}02`, alone: true, sequence: 9, enqueuedAtMs: TIME + 1 }, [TIME + 40_001]),
  delivery({ queue: "other", block: "=order-1", alone: true, sequence: 10, enqueuedAtMs: TIME + 1 }, [TIME + 30_000]),
  delivery({ block: BLOCK, alone: false, sequence: 11, first: 5, count: 3 }, [TIME + 30_000]),
  delivery({ block: BLOCK, alone: false, sequence: 12, first: 8, count: 2 }, [TIME + 30_000, TIME + 50_000]),
];

test("frames read with the generated decoder as what they were made of", () => {
  const frames = encodeDeliver(DELIVERIES).map((bytes) => SubscribeResponse.decode(bytes).frame);

  const read = frames.flatMap((frame) => (frame?.$case === "deliver" ? frame.value.deliveries : []));
  expect(read.map(plainly)).toEqual(DELIVERIES.flatMap((one) => expected(one)));
});

test("what is pulled is the same, without tags when there is no session", () => {
  const untagged = DELIVERIES.map((one) => ({ ...one, firstTag: 0 }));

  const { deliveries } = PullTasksResponse.decode(encodePulled(untagged));

  expect(deliveries.map(plainly)).toEqual(untagged.flatMap((one) => expected(one)));
});

test("a bulk is cut into several frames", () => {
  const large = delivery({ block: BLOCK, alone: false, sequence: 1, count: 128 }, [TIME], 8 * 1024);

  const frames = encodeDeliver([large]);

  expect(frames.length).toBeGreaterThan(2);
  const counts = frames.map((bytes) => SubscribeResponse.decode(bytes).frame);
  expect(counts.flatMap((frame) => (frame?.$case === "deliver" ? frame.value.deliveries : []))).toHaveLength(128);
});

function delivery(lease: Partial<Delivery["grant"]>, deadlinesMs: number[], bytes = 20): Delivery {
  const count = lease.count ?? 1;
  // An encoded Task: its type and its payload.
  const body = Buffer.concat([
    Buffer.from([0x12, 1, 0x65, 0x22, ...varint(bytes)]),
    Buffer.alloc(bytes, lease.sequence),
  ]);
  const grant = {
    queue: "email",
    broker: "BROKERBROKER00",
    sequence: 1,
    block: "",
    alone: false,
    attempt: 1,
    first: 0,
    count,
    bodies: joinBodies(Array.from({ length: count }, () => body)),
    lostCount: 0,
    enqueuedAtMs: TIME,
    runAtMs: 0,
    hasOptions: false,
    ...lease,
  };
  return { grant, firstTag: 100 * grant.sequence, deadlinesMs };
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, Math.floor(value / 128)];
}

function expected({ grant, firstTag, deadlinesMs }: Delivery) {
  return Array.from({ length: grant.count }, (_, i) => {
    const index = grant.first + i;
    return {
      tag: firstTag === 0 ? 0 : firstTag + i,
      attempt: grant.attempt,
      deadlineMs: deadlinesMs[i] ?? deadlinesMs[0],
      token: leaseToken(grant, index),
      id: taskId(grant.queue, grant.alone ? grant.block : grant.block + INDEX_TEXT[index]),
      queue: grant.queue,
      enqueuedAtMs: grant.enqueuedAtMs,
      type: "e",
      payload: Buffer.alloc(20, grant.sequence),
    };
  });
}

function plainly({ tag, attempt, deadlineTime, leaseToken: token, task }: PullTasksResponse["deliveries"][number]) {
  const { id, queue, enqueueTime, type, payload } = task ?? {};
  const [deadlineMs, enqueuedAtMs] = [toMs(deadlineTime), toMs(enqueueTime)];
  return { tag, attempt, deadlineMs, token, id, queue, enqueuedAtMs, type, payload: payload && Buffer.from(payload) };
}

function toMs(time: { readonly seconds: number; readonly nanos: number } | undefined): number {
  return time ? time.seconds * 1_000 + time.nanos / 1_000_000 : Number.NaN;
}
