import { EnqueueStreamResponse } from "@taskwire/proto";
import { TaskwireError } from "../../domain/errors.ts";
import type { Broker } from "../broker.ts";
import type { BidiHandler } from "../call.ts";
import { enqueueTasks } from "../enqueue-tasks.ts";
import { parseFrame, type StreamFrame } from "../parse/batch.ts";
import { encodeAccepted } from "../present/enqueued.ts";
import { toStatus } from "../status.ts";

/** How many frames of one stream are in the store at a time; a client that sends more, or does not read, waits. */
const MAX_FRAMES_UNDER_WAY = 64;

export function enqueueStream(broker: Broker): BidiHandler {
  return (stream) => {
    let underWay = 0;
    let readerBehind = false;
    let ended = false;
    let onRoom: (() => void) | undefined;

    const hasRoom = () => underWay < MAX_FRAMES_UNDER_WAY && !readerBehind;
    const makeRoom = () => {
      if (hasRoom()) onRoom?.();
    };

    return {
      get unanswered() {
        return underWay;
      },
      frame(bytes) {
        const frame = parseFrame(bytes, broker.limits.maxPayloadBytes);
        underWay++;
        void answer(broker, frame).then((response) => {
          if (!stream.send(response)) readerBehind = true;
          underWay--;
          makeRoom();
          if (ended && underWay === 0) stream.end();
        });
        if (hasRoom()) return undefined;
        return new Promise<void>((resolve) => {
          onRoom = resolve;
        });
      },
      drained() {
        readerBehind = false;
        makeRoom();
      },
      ended() {
        ended = true;
        if (underWay === 0) stream.end();
      },
      closed() {},
    };
  };
}

async function answer(broker: Broker, frame: StreamFrame): Promise<Buffer> {
  try {
    const tasks = await enqueueTasks(broker, frame.tasks(), frame.producer);
    return encodeAccepted(frame.sequence, tasks, broker.store.durability);
  } catch (error) {
    if (!(error instanceof TaskwireError)) broker.logger.error({ err: error }, "enqueue failed");
    const result = { $case: "error", value: toStatus(error) } as const;
    return Buffer.from(EnqueueStreamResponse.encode({ sequence: frame.sequence, result }).finish());
  }
}
