/** An EnqueueStream by hand: every frame is sent and seen as it is. */
import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import { EnqueueStreamRequest, EnqueueStreamResponse } from "@taskwire/proto";
import { type Refusal, type Rpc, refusalOf } from "./rpc.ts";
import { until } from "./until.ts";

type PartialFrame = Parameters<typeof EnqueueStreamRequest.fromPartial>[0];

export class EnqueueWire {
  readonly answers: EnqueueStreamResponse[] = [];
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  #end: Refusal | undefined;

  constructor(rpc: Rpc) {
    this.#stream = rpc.connection.openStream("/taskwire.v1.TaskService/EnqueueStream");
    this.#stream.on("data", (bytes: Buffer) => this.answers.push(EnqueueStreamResponse.decode(bytes)));
    this.#stream.on("status", (status: StatusObject) => (this.#end = refusalOf(status)));
    // The status says the same.
    this.#stream.on("error", () => undefined);
  }

  send(frame: PartialFrame): void {
    this.sendBytes(Buffer.from(EnqueueStreamRequest.encode(EnqueueStreamRequest.fromPartial(frame)).finish()));
  }

  sendBytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  close(): void {
    this.#stream.end();
  }

  async untilAnswered(count: number): Promise<readonly EnqueueStreamResponse[]> {
    await until(
      () => `${count} frames are answered; ${this.answers.length} are`,
      () => this.answers.length >= count,
    );
    return this.answers;
  }

  /** Resolves with the status that the stream ended with. */
  ended(): Promise<Refusal> {
    return until("the stream ends", () => this.#end);
  }
}
