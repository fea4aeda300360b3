import { EventEmitter } from "node:events";
import { status as Code, Metadata } from "@grpc/grpc-js";
import {
  type EnqueueRequest,
  EnqueueStreamRequest,
  EnqueueStreamResponse,
  EnqueueResponse_Outcome as Outcome,
} from "@taskwire/proto";

/** A stream of which the test is the broker. */
export class FakeStream extends EventEmitter {
  readonly broker: string;
  readonly written: Buffer[] = [];
  isCancelled = false;
  hasEnded = false;

  constructor(broker: string) {
    super();
    this.broker = broker;
  }

  get frames(): EnqueueStreamRequest[] {
    return this.written.map((bytes) => EnqueueStreamRequest.decode(bytes));
  }

  write(bytes: Buffer): boolean {
    return this.written.push(Buffer.from(bytes)) > 0;
  }

  end(): void {
    this.hasEnded = true;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  accept(frame: { sequence: number; tasks: EnqueueRequest[] } | undefined): void {
    const tasks = frame?.tasks.map(({ type }) => ({ taskId: `id of ${type}`, outcome: Outcome.CREATED }));
    this.#answer({ sequence: frame?.sequence ?? 0, result: { $case: "accepted", value: { tasks: tasks ?? [] } } });
  }

  refuse(sequence: number, code: number, ...details: { typeUrl: string; value: Uint8Array }[]): void {
    const value = {
      code,
      message: "refused",
      details: details.map((any) => ({ ...any, value: Buffer.from(any.value) })),
    };
    this.#answer({ sequence, result: { $case: "error", value } });
  }

  break(code: number = Code.UNAVAILABLE, details = "connection reset"): void {
    this.emit("status", { code, details, metadata: new Metadata() });
  }

  #answer(response: Parameters<typeof EnqueueStreamResponse.fromPartial>[0]): void {
    this.emit("data", Buffer.from(EnqueueStreamResponse.encode(EnqueueStreamResponse.fromPartial(response)).finish()));
  }
}
