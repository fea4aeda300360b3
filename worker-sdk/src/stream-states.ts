import type { Heartbeat } from "./heartbeat.ts";

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
