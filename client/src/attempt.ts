import { status as Code } from "@grpc/grpc-js";
import { ClientError, type CallOptions as GrpcCallOptions, type Metadata } from "nice-grpc";
import { onAbort } from "./abort.ts";
import type { Connection } from "./connection/index.ts";
import { parseTrailer, plainRefusal, type Refusal, STATUS_DETAILS_KEY } from "./status.ts";

/** What nice-grpc is to be called with. */
export type GrpcOptions = Required<Pick<GrpcCallOptions, "signal" | "onTrailer">>;

/** One try of a call on one connection. It ends early when the broker stops: a call that waits would hold it up. */
export class Attempt {
  readonly connection: Connection;
  readonly options: GrpcOptions;
  readonly #controller = new AbortController();
  readonly #patience: AbortSignal;
  readonly #stopListening: () => void;
  readonly #abort = () => this.#controller.abort();
  #isLeft = false;
  #details: unknown;

  constructor(connection: Connection, patience: AbortSignal) {
    this.connection = connection;
    this.#patience = patience;
    onAbort(patience, this.#abort);
    if (patience.aborted) this.#abort();
    this.#stopListening = connection.onLeft(() => {
      this.#isLeft = true;
      this.#abort();
    });
    const onTrailer = (trailer: Metadata) => {
      this.#details = trailer.get(STATUS_DETAILS_KEY);
    };
    this.options = { signal: this.#controller.signal, onTrailer };
  }

  end(): void {
    this.#patience.removeEventListener("abort", this.#abort);
    this.#stopListening();
  }

  /** Why the call failed; undefined when it is none of gRPC's business. */
  refusal(error: unknown): Refusal | undefined {
    if (error instanceof ClientError) return parseTrailer(error.code, error.details, this.#details);
    return this.#isLeft ? plainRefusal(Code.UNAVAILABLE, "the broker is stopping") : undefined;
  }
}
