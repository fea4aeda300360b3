/** EnqueueStream: many frames under way, repeats of a producer, frames that are wrong. */
import { type EnqueueStreamResponse, Status } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { EnqueueWire } from "../support/enqueue-wire.ts";
import { readRefusal } from "../support/rpc.ts";
import { onEachStore } from "./broker-test.ts";

const PRODUCER = Buffer.from("8 bytes!");

onEachStore((test) => {
  test("each frame is answered with its sequence", async ({ rpc, queue }) => {
    const stream = new EnqueueWire(rpc);
    for (let sequence = 1; sequence <= 200; sequence++) {
      stream.send({ sequence, tasks: Array.from({ length: 5 }, () => ({ type: "email", queue })) });
    }
    stream.close();

    const answers = await stream.untilAnswered(200);

    expect(new Set(answers.map(({ sequence }) => sequence)).size).toBe(200);
    const ids = answers.flatMap(({ result }) =>
      result?.$case === "accepted" ? result.value.tasks.map(({ taskId }) => taskId) : [],
    );
    expect(new Set(ids).size).toBe(1_000);
    expect(await stream.ended()).toMatchObject({ code: 0 });
    expect((await rpc.queues.getQueue({ queue })).queue?.counters).toMatchObject({ enqueued: 1_000, ready: 1_000 });
  });

  test("a frame without tasks is accepted", async ({ rpc }) => {
    const stream = new EnqueueWire(rpc);
    stream.send({ sequence: 7 });

    expect(await stream.untilAnswered(1)).toEqual([
      { sequence: 7, result: { $case: "accepted", value: { tasks: [] } } },
    ]);
  });

  describe("a producer's frame that comes again", () => {
    test("is answered with the same tasks and adds nothing", async ({ rpc, queue }) => {
      const frame = {
        sequence: 3,
        producerId: PRODUCER,
        tasks: [
          { type: "email", queue },
          { type: "email", queue: `${queue}.b` },
          { type: "email", queue, priority: 4 },
        ],
      };
      const first = new EnqueueWire(rpc);
      first.send(frame);
      const [answer] = await first.untilAnswered(1);
      const second = new EnqueueWire(rpc);
      second.send(frame);
      second.send(frame);

      const again = await second.untilAnswered(2);

      expect(idsOf(answer)).toHaveLength(3);
      for (const one of again) expect(idsOf(one)).toEqual(idsOf(answer));
      expect((await rpc.queues.getQueue({ queue })).queue?.counters?.enqueued).toBe(2);
      expect((await rpc.queues.getQueue({ queue: `${queue}.b` })).queue?.counters?.enqueued).toBe(1);
    });

    test("is another frame when it is of another producer", async ({ rpc, queue }) => {
      const stream = new EnqueueWire(rpc);
      for (const producerId of [PRODUCER, Buffer.from("another!"), Buffer.alloc(0), Buffer.alloc(0)]) {
        stream.send({ sequence: 1, producerId, tasks: [{ type: "email", queue }] });
      }

      const answers = await stream.untilAnswered(4);

      expect(new Set(answers.flatMap(idsOf)).size).toBe(4);
    });
  });

  test("a frame with wrong tasks is answered with all that is wrong, and the stream goes on", async ({
    rpc,
    queue,
  }) => {
    const stream = new EnqueueWire(rpc);
    stream.send({ sequence: 1, tasks: [{ type: "email", queue }, { type: "*", queue: "a b" }, { type: "" }] });
    stream.send({ sequence: 2, producerId: Buffer.from("short"), tasks: [{ type: "email", queue }] });
    stream.send({ sequence: 3, tasks: Array.from({ length: 1_001 }, () => ({ type: "email", queue })) });
    stream.send({ sequence: 4, tasks: [{ type: "email", queue }] });

    const answers = await stream.untilAnswered(4);

    const errors = new Map(
      answers.map(({ sequence, result }) => {
        if (result?.$case !== "error") return [sequence, undefined];
        const { code, message, details } = result.value;
        const encoded = Buffer.from(Status.encode({ code, message, details }).finish());
        return [sequence, readRefusal(code, message, encoded)];
      }),
    );
    expect(errors.get(1)?.fields.map(({ field }) => field)).toEqual([
      "tasks[1].type",
      "tasks[1].queue",
      "tasks[2].type",
    ]);
    expect(errors.get(2)).toMatchObject({ code: 3, reason: "INVALID_ARGUMENT" });
    expect(errors.get(2)?.message).toContain("producer_id has 5 bytes");
    expect(errors.get(3)).toMatchObject({ code: 3, reason: "BATCH_TOO_LARGE" });
    expect(errors.get(4)).toBeUndefined();
    expect((await rpc.queues.getQueue({ queue })).queue?.counters?.enqueued).toBe(1);
  });

  test("bytes that are no frame end the stream as the caller's mistake", async ({ rpc }) => {
    const stream = new EnqueueWire(rpc);
    stream.sendBytes(Buffer.of(0x12, 0x50, 0x01));

    expect(await stream.ended()).toMatchObject({ code: 3, reason: "INVALID_ARGUMENT" });
  });
});

function idsOf(answer: EnqueueStreamResponse | undefined): string[] {
  if (answer?.result?.$case !== "accepted") throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.result.value.tasks.map(({ taskId }) => taskId);
}
