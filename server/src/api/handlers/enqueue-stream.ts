import { EnqueueStreamResponse } from "@taskwire/proto";
import { TaskwireError } from "../../domain/errors.ts";
import type { Broker } from "../broker.ts";
import type { BidiHandler, FrameStream } from "../call.ts";
import { enqueueTasks } from "../enqueue-tasks.ts";
import { parseFrame, type StreamFrame } from "../parse/batch.ts";
import { encodeAccepted } from "../present/enqueued.ts";
import { toStatus } from "../status.ts";

/** How many frames of one stream are in the store at a time; a client that sends more waits. */
const MAX_FRAMES_UNDER_WAY = 64;

export function enqueueStream(broker: Broker): BidiHandler {
  return (stream) => {
    let underWay = 0;
    let ended = false;
    let onRoom: (() => void) | undefined;

    const finish = () => {
      underWay--;
      onRoom?.();
      onRoom = undefined;
      if (ended && underWay === 0) stream.end();
    };

    return {
      frame(bytes) {
        const frame = parseFrame(bytes, broker.limits.maxPayloadBytes);
        underWay++;
        void answer(broker, stream, frame).finally(finish);
        if (underWay < MAX_FRAMES_UNDER_WAY) return undefined;
        return new Promise<void>((resolve) => {
          onRoom = resolve;
        });
      },
      drained() {},
      ended() {
        ended = true;
        if (underWay === 0) stream.end();
      },
      closed() {},
    };
  };
}

async function answer(broker: Broker, stream: FrameStream, frame: StreamFrame): Promise<void> {
  try {
    const tasks = await enqueueTasks(broker, frame.tasks(), frame.producer);
    stream.send(encodeAccepted(frame.sequence, tasks, broker.store.durability));
  } catch (error) {
    if (!(error instanceof TaskwireError)) broker.logger.error({ err: error }, "enqueue failed");
    const result = { $case: "error", value: toStatus(error) } as const;
    stream.send(Buffer.from(EnqueueStreamResponse.encode({ sequence: frame.sequence, result }).finish()));
  }
}
