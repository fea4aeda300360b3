import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { LIMITS } from "../domain/limits.ts";

/** Reads the bodies of requests, each as a whole, within a bound for each and one for all that are still coming. */
export class Bodies {
  readonly #maxBytes: number;
  #comingBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws RESOURCE_EXHAUSTED when it is too large; CANCELED when it does not come to its end */
  async read(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > this.#maxBytes) throw this.#tooLarge(`${announced} bytes`);
    // Its sender waits to hear whether it is wanted.
    if (request.headers.expect !== undefined) response.writeContinue();
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const leave = () => {
        this.#comingBytes -= bytes;
        request.off("data", take).off("end", finish).off("close", breakOff);
      };
      const fail = (error: ConnectError) => {
        leave();
        // What still comes is dropped: whoever is amid sending could not read the answer on a connection that is reset.
        request.resume();
        reject(error);
      };
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        this.#comingBytes += chunk.length;
        if (bytes > this.#maxBytes) fail(this.#tooLarge(`more than ${this.#maxBytes} bytes`));
        else if (this.#comingBytes > LIMITS.httpBodiesBytes) fail(tooMany());
        else chunks.push(chunk);
      };
      const finish = () => {
        leave();
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes));
      };
      const breakOff = () => fail(new ConnectError("the request did not come to its end", Code.Canceled));
      request.on("data", take).on("end", finish).on("close", breakOff);
    });
  }

  #tooLarge(size: string): ConnectError {
    const sentence = `the request has ${size}; at most ${this.#maxBytes} are allowed (TASKWIRE_MAX_PAYLOAD_BYTES)`;
    return new ConnectError(sentence, Code.ResourceExhausted);
  }
}

function tooMany(): ConnectError {
  return new ConnectError("too many large requests come at a time: try again", Code.ResourceExhausted);
}
