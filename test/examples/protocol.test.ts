/** Holds the exchanges that docs/protocol.md shows against a real broker: the same frames, in the same order. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@taskwire/client/connection";
import {
  type EnqueueRequest,
  Rejection_Reason,
  SubscribeRequest,
  SubscribeResponse,
  TaskServiceDefinition,
  WorkerServiceDefinition,
} from "@taskwire/proto";
import { test as base, expect } from "vitest";
import { startBroker } from "../support/broker.ts";

const ROOT = join(import.meta.dirname, "../..");
const QUEUE = "greeting";

type Said = NonNullable<SubscribeRequest["frame"]>;
type Heard = NonNullable<SubscribeResponse["frame"]>;
type Content = { readonly [Frame in Heard as Frame["$case"]]: Frame["value"] };

const test = base.extend<{ address: string }>({
  address: async ({}, use) => {
    const dataDir = await mkdtemp(join(tmpdir(), "taskwire-protocol-"));
    const broker = await startBroker({ dataDir, drainMs: 0 });
    await use(broker.address);
    await broker.terminate();
    await rm(dataDir, { recursive: true });
  },
});

test("a task is delivered, fails, is delivered again and ends", async ({ address }) => {
  const frames: string[] = [];
  const worker = new RecordedStream(address, "worker", frames);
  worker.say(hello("worker-1", 2));
  await worker.hear("welcome");
  await enqueue(address, ["one", "two"]);
  const { deliveries } = await worker.hear("deliver");
  expect(deliveries.map(({ tag, attempt }) => ({ tag, attempt }))).toEqual([
    { tag: 1, attempt: 1 },
    { tag: 2, attempt: 1 },
  ]);
  const nack = {
    action: 1,
    errorType: "Busy",
    errorMessage: "try later",
    errorStack: "",
    retryDelay: ms(100),
  } as const;
  worker.say({
    $case: "settle",
    value: { settleId: 1, ackTags: [1], outcomes: [{ tag: 2, result: { $case: "nack", value: nack } }] },
  });
  expect((await worker.hear("settleResult")).rejections).toEqual([]);
  const again = await worker.hear("deliver");
  expect(again.deliveries[0]).toMatchObject({ tag: 3, attempt: 2, task: { id: deliveries[1]?.task?.id } });
  worker.say({ $case: "progress", value: { tag: 3, percent: 50, detail: new Uint8Array() } });
  worker.say({ $case: "extend", value: { tags: [3], timeout: ms(60_000) } });
  worker.say({ $case: "stopDelivery", value: {} });
  expect(await worker.hear("deliveryStopped")).toEqual({ lastTag: 3 });
  const result = { $case: "ack", value: { result: Buffer.from("hello, two") } } as const;
  worker.say({ $case: "settle", value: { settleId: 2, ackTags: [], outcomes: [{ tag: 3, result }] } });
  expect((await worker.hear("settleResult")).rejections).toEqual([]);
  await worker.end();

  expect(frames).toEqual(await exchange("one worker"));
});

test("a task whose stream breaks goes to the next worker, and the first one's token is void", async ({ address }) => {
  const frames: string[] = [];
  const first = new RecordedStream(address, "first", frames);
  first.say(hello("worker-1", 1));
  await first.hear("welcome");
  await enqueue(address, ["one"]);
  const [lost] = (await first.hear("deliver")).deliveries;
  first.cut();
  const second = new RecordedStream(address, "second", frames);
  second.say(hello("worker-2", 1));
  await second.hear("welcome");
  const [found] = (await second.hear("deliver")).deliveries;
  expect(found).toMatchObject({ attempt: 1, task: { id: lost?.task?.id } });
  expect(found?.leaseToken).not.toBe(lost?.leaseToken);

  const connection = new Connection({ address });
  const { results } = await connection.client(WorkerServiceDefinition).settleTasks({
    outcomes: [{ leaseToken: lost?.leaseToken ?? "", result: { $case: "ack", value: {} } }],
  });
  connection.close();
  expect(results).toMatchObject([{ settled: false, reason: Rejection_Reason.STALE }]);
  second.say({ $case: "settle", value: { settleId: 1, ackTags: [1], outcomes: [] } });
  expect((await second.hear("settleResult")).rejections).toEqual([]);
  await second.end();

  expect(frames).toEqual(await exchange("a broken stream"));
});

/** A worker's side of Subscribe that writes down which frames are said and heard: "worker <- deliver". */
class RecordedStream {
  readonly #connection: Connection;
  readonly #call: ReturnType<Connection["openStream"]>;
  readonly #incoming: AsyncIterator<Buffer>;
  readonly #name: string;
  readonly #frames: string[];

  constructor(address: string, name: string, frames: string[]) {
    this.#name = name;
    this.#frames = frames;
    this.#connection = new Connection({ address });
    this.#call = this.#connection.openStream(`/${WorkerServiceDefinition.fullName}/Subscribe`);
    this.#incoming = this.#call[Symbol.asyncIterator]();
  }

  say(frame: Said): void {
    this.#frames.push(`${this.#name} -> ${frame.$case}`);
    this.#call.write(Buffer.from(SubscribeRequest.encode({ frame }).finish()));
  }

  /** The next frame, which must be of this kind; heartbeats come when they come. */
  async hear<Kind extends keyof Content>(kind: Kind): Promise<Content[Kind]> {
    for (;;) {
      const { value, done } = await this.#incoming.next();
      if (done) throw new Error(`the stream ended instead of ${kind}`);
      const { frame } = SubscribeResponse.decode(value);
      if (frame?.$case === "heartbeat") continue;
      this.#frames.push(`${this.#name} <- ${frame?.$case}`);
      expect(frame?.$case).toBe(kind);
      const content: unknown = frame?.value;
      // Its kind was checked in the line above.
      return content as Content[Kind];
    }
  }

  /** Closes its side, and reads until the broker has closed the other. */
  async end(): Promise<void> {
    this.#call.end();
    expect(await this.#incoming.next()).toMatchObject({ done: true });
    this.#connection.close();
  }

  /** Breaks the stream, as a process that dies does. */
  cut(): void {
    this.#call.on("error", () => {});
    this.#call.cancel();
    this.#connection.close();
  }
}

function hello(workerId: string, maxInFlight: number): Said {
  const queues = [{ queue: QUEUE, maxInFlight: 0, types: [QUEUE] }];
  const window = { maxInFlight, maxInFlightBytes: 0 };
  const rest = { host: "here", sdk: "by hand", labels: {}, sessionTimeout: ms(30_000), concurrency: maxInFlight };
  return { $case: "hello", value: { workerId, queues, window, ...rest } };
}

async function enqueue(address: string, payloads: readonly string[]): Promise<void> {
  const connection = new Connection({ address });
  const toRequest = (payload: string): Partial<EnqueueRequest> => ({
    type: QUEUE,
    body: { $case: "payload", value: Buffer.from(payload) },
  });
  await connection.client(TaskServiceDefinition).enqueueBatch({ tasks: payloads.map(toRequest) });
  connection.close();
}

function ms(duration: number) {
  return { seconds: Math.floor(duration / 1_000), nanos: (duration % 1_000) * 1_000_000 };
}

/** The frames in the block of docs/protocol.md that begins with this mark. */
async function exchange(name: string): Promise<string[]> {
  const page = await readFile(join(ROOT, "docs/protocol.md"), "utf8");
  const block = page.split(`<!-- exchange: ${name} -->\n\n\`\`\`text\n`)[1]?.split("```")[0] ?? "";
  return [...block.matchAll(/^\w+ (?:->|<-) \w+/gm)].map(([frame]) => frame);
}
