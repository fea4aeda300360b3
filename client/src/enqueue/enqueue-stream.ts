import type { ClientDuplexStream } from "@grpc/grpc-js";
import { TaskServiceDefinition } from "@taskwire/proto";
import type { Connection } from "../connection/index.ts";
import { parseTrailer, type Refusal, STATUS_DETAILS_KEY } from "../status.ts";

/** What a connection is to the producer. */
export type StreamSource = Pick<Connection, "openStream" | "onLeft">;

/** Where a stream reports to. */
export interface EnqueueStreamEvents {
  /** An EnqueueStreamResponse came in. */
  onAnswer(stream: EnqueueStream, bytes: Buffer): void;
  /** The stream is over, whoever ended it. */
  onEnd(stream: EnqueueStream, how: Refusal): void;
}

const SERVICE = TaskServiceDefinition.fullName;
const METHOD = TaskServiceDefinition.methods.enqueueStream.name;

/**
 * One EnqueueStream call, of frames that are bytes already.
 *
 * The grpc-js call itself, not nice-grpc's async iterables: a frame must be on its way when `send` returns, so that frames
 * keep their order and none waits for an iterator to come round; and the generated codec has no part in it. What `write`
 * says of its buffer is not asked: the sender bounds what is unanswered, and so all that can be in the buffer.
 */
export class EnqueueStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;

  constructor(connection: StreamSource, events: EnqueueStreamEvents) {
    this.#call = connection.openStream(`/${SERVICE}/${METHOD}`);
    this.#call.on("data", (bytes: Buffer) => events.onAnswer(this, bytes));
    // Each error is followed by its status, which has the details.
    this.#call.on("error", () => {});
    this.#call.on("status", ({ code, details, metadata }) => {
      events.onEnd(this, parseTrailer(code, details, metadata.get(STATUS_DETAILS_KEY)[0]));
    });
  }

  send(frame: Buffer): void {
    this.#call.write(frame);
  }

  /** Says that nothing more will be sent; the broker then ends the stream. */
  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }
}
