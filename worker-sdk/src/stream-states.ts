import type { Rejection, Welcome } from "@taskwire/proto";
import type { CancelReason } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { WorkerStream } from "./stream.ts";

/** Why a stream ended. */
export interface CloseReason {
  readonly message: string;
  /** The gRPC status, when the broker or the transport ended it. */
  readonly code: number | undefined;
}

/** Where a stream is in its life; the picture is in stream.ts. */
export type StreamState =
  | { readonly kind: "connecting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "open"; readonly heartbeat: Heartbeat }
  /** `deliveryEnded`: no task can come any more. `timer` runs once our side is closed. */
  | {
      readonly kind: "draining";
      readonly heartbeat: Heartbeat;
      readonly deliveryEnded: boolean;
      readonly timer: NodeJS.Timeout | undefined;
    }
  | { readonly kind: "closed"; readonly reason: CloseReason };

/** What a stream tells whoever opened it. */
export interface StreamOwner {
  opened(stream: WorkerStream, welcome: Welcome): void;
  delivered(stream: WorkerStream, executions: readonly Execution[]): void;
  /** The broker took tasks away. Returns how many of them had not ended. */
  cancelled(stream: WorkerStream, tags: readonly number[], reason: CancelReason): number;
  /** The broker leaves. */
  leaving(stream: WorkerStream, reason: string): void;
  settled(executions: readonly Execution[]): void;
  refused(execution: Execution, rejection: Pick<Rejection, "reason" | "message">): void;
  /** These have outcomes that this stream cannot deliver. */
  unconfirmed(executions: readonly Execution[]): void;
  closed(stream: WorkerStream, reason: CloseReason): void;
}
