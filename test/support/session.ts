/** A worker's stream by hand: every frame is sent and seen as it is. */
import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import type { Connection } from "@taskwire/client/connection";
import { type Delivery, Hello, type Settle, SubscribeRequest, SubscribeResponse } from "@taskwire/proto";
import { type Refusal, refusalOf } from "./rpc.ts";
import { until } from "./until.ts";

type ToBroker = NonNullable<SubscribeRequest["frame"]>;
type FromBroker = NonNullable<SubscribeResponse["frame"]>;
type Case = FromBroker["$case"];
type ValueOf<Name extends Case> = Extract<FromBroker, { $case: Name }>["value"];
type PartialHello = Parameters<typeof Hello.fromPartial>[0];

export class WireSession {
  /** All frames that came, oldest first. */
  readonly frames: FromBroker[] = [];
  /** All tasks that came, oldest first. */
  readonly deliveries: Delivery[] = [];
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  #seen = 0;
  #settleId = 0;
  #end: Refusal | undefined;

  constructor(connection: Connection) {
    this.#stream = connection.openStream("/taskwire.v1.WorkerService/Subscribe");
    this.#stream.on("data", (bytes: Buffer) => {
      const { frame } = SubscribeResponse.decode(bytes);
      if (!frame) return;
      this.frames.push(frame);
      if (frame.$case === "deliver") this.deliveries.push(...frame.value.deliveries);
    });
    this.#stream.on("status", (status: StatusObject) => (this.#end = refusalOf(status)));
    // The status says the same.
    this.#stream.on("error", () => undefined);
  }

  send(frame: ToBroker): void {
    this.#stream.write(Buffer.from(SubscribeRequest.encode({ frame }).finish()));
  }

  sendBytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  hello(hello: PartialHello): void {
    this.send({ $case: "hello", value: Hello.fromPartial(hello) });
  }

  /** Settles tasks, and resolves with the answer. */
  async settle(settle: Partial<Pick<Settle, "ackTags" | "outcomes">>): Promise<ValueOf<"settleResult">> {
    const settleId = ++this.#settleId;
    this.send({ $case: "settle", value: { settleId, ackTags: [], outcomes: [], ...settle } });
    const isAnswer = (answer: ValueOf<"settleResult">) => answer.settleId === settleId;
    return this.next("settleResult", isAnswer, { keepOrder: false });
  }

  /** Resolves with the first frame of this kind that was not looked at before; those in front of it are passed over. */
  async next<Name extends Case>(
    name: Name,
    accepts: (value: ValueOf<Name>) => boolean = () => true,
    { withinMs = 15_000, keepOrder = true } = {},
  ): Promise<ValueOf<Name>> {
    const found = await until(
      () => `${name} comes; there were ${JSON.stringify(this.frames.map(({ $case }) => $case))}`,
      () => {
        for (let i = keepOrder ? this.#seen : 0; i < this.frames.length; i++) {
          const frame = this.frames[i];
          // The two types of a frame's case and value belong together.
          if (frame?.$case !== name || !accepts(frame.value as ValueOf<Name>)) continue;
          if (keepOrder) this.#seen = i + 1;
          return { value: frame.value as ValueOf<Name> };
        }
        if (this.#end) throw new Error(`the stream ended before ${name} came: ${JSON.stringify(this.#end)}`);
        return undefined;
      },
      { withinMs },
    );
    return found.value;
  }

  /** Resolves with the delivered tasks once there are `count`. */
  async untilDelivered(count: number, withinMs = 15_000): Promise<readonly Delivery[]> {
    await until(
      () => `${count} tasks are delivered; there are ${this.deliveries.length}; ${JSON.stringify(this.#end)}`,
      () => this.deliveries.length >= count,
      { withinMs },
    );
    return this.deliveries;
  }

  /** A sign of life goes both ways: what was on its way before it has come. Resolves after the answer to an empty settle. */
  async roundTrip(): Promise<void> {
    await this.settle({});
  }

  /** Closes this side; the broker's may still talk. */
  close(): void {
    this.#stream.end();
  }

  /** Resets the stream. */
  cut(): void {
    this.#stream.cancel();
  }

  /** Resolves with the status that the stream ended with. */
  ended(withinMs = 15_000): Promise<Refusal> {
    return until("the stream ends", () => this.#end, { withinMs });
  }
}
