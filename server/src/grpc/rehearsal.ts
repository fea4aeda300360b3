/**
 * A producer and a worker in one, for a broker of this process that nobody else uses: see ../warm-up.ts. It sends frames
 * as clients do, so that the code that theirs will run through is compiled by then.
 */
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { EnqueueStreamRequest, SubscribeRequest, SubscribeResponse } from "@taskwire/proto";

/** Many small frames, as when there is little to do, then some large ones, as under load. */
const FRAMES: readonly number[] = [...Array<number>(200).fill(1), ...Array<number>(20).fill(100)];
const TASK = { type: "rehearsal", body: { $case: "payload", value: Buffer.alloc(100) } } as const;
const WORKER = {
  workerId: "rehearsal",
  queues: [{ queue: TASK.type }],
  window: { maxInFlight: 1_000, maxInFlightBytes: 1_000_000 },
};
const PRODUCER_ID = Buffer.alloc(8);

type RawStream = ClientDuplexStream<Buffer, Buffer>;

/** Enqueues tasks and acknowledges them, frame after frame. */
export async function rehearse(port: number): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const open = (path: string): RawStream => client.makeBidiStreamRequest(path, asIs, asIs);
  const producer = open("/taskwire.v1.TaskService/EnqueueStream");
  const worker = open("/taskwire.v1.WorkerService/Subscribe");
  try {
    await new Promise<void>((resolve, reject) => {
      for (const stream of [producer, worker]) stream.on("error", reject);
      // What it is answered is not looked at: the tasks will be delivered.
      producer.resume();
      let sent = 0;
      const sendNext = () => {
        const tasks = FRAMES[sent];
        if (tasks === undefined) resolve();
        else producer.write(enqueueFrame(++sent, tasks));
        return tasks ?? 0;
      };
      worker.write(requestFrame({ $case: "hello", value: WORKER }));
      acknowledge(worker, sendNext);
    });
  } finally {
    for (const stream of [producer, worker]) stream.on("error", () => undefined).cancel();
    client.close();
  }
}

/** Acknowledges what is delivered. When all is settled it asks for the next tasks, and is told how many those are. */
function acknowledge(worker: RawStream, sendNext: () => number): void {
  let settleId = 0;
  let unsettled = sendNext();
  const acks = new Map<number, number>();
  worker.on("data", (bytes: Buffer) => {
    const { frame } = SubscribeResponse.decode(bytes);
    if (frame?.$case === "deliver") {
      const ackTags = frame.value.deliveries.map(({ tag }) => tag);
      acks.set(++settleId, ackTags.length);
      worker.write(requestFrame({ $case: "settle", value: { settleId, ackTags } }));
    } else if (frame?.$case === "settleResult") {
      unsettled -= acks.get(frame.value.settleId) ?? 0;
      if (unsettled === 0) unsettled = sendNext();
    }
  });
}

function enqueueFrame(sequence: number, tasks: number): Buffer {
  const request = { sequence, tasks: Array.from({ length: tasks }, () => TASK), producerId: PRODUCER_ID };
  return Buffer.from(EnqueueStreamRequest.encode(EnqueueStreamRequest.fromPartial(request)).finish());
}

function requestFrame(frame: Parameters<typeof SubscribeRequest.fromPartial>[0]["frame"]): Buffer {
  return Buffer.from(SubscribeRequest.encode(SubscribeRequest.fromPartial({ frame })).finish());
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
