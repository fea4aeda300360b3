/** From the handlers of api/ to those of grpc-js. Errors become statuses here, and nowhere else. */
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  type StatusObject,
} from "@grpc/grpc-js";
import { Status } from "@taskwire/proto";
import type { BidiHandler, ServerStreamHandler, UnaryHandler } from "../api/call.ts";
import { toStatus } from "../api/status.ts";
import { TaskwireError } from "../domain/errors.ts";
import type { Logger } from "../observe/logger.ts";

/** grpc-js emits "cancelled" on every kind of call when its caller is gone, or its deadline has passed. */
interface Cancellable {
  on(event: "cancelled", listener: () => void): unknown;
}

function signalOf(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort());
  return controller.signal;
}

function toStatusObject(error: unknown, logger: Logger): StatusObject {
  if (!(error instanceof TaskwireError)) logger.error({ err: error }, "a call failed");
  const status = toStatus(error);
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(Status.encode(status).finish()));
  return { code: status.code, details: status.message, metadata };
}

export function unary<Request, Response>(
  handler: UnaryHandler<Request, Response>,
  logger: Logger,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const signal = signalOf(call);
    handler(call.request, { signal }).then(
      (response) => callback(null, response),
      (error) => {
        // The caller is gone; what its handler threw for that reason is no news.
        if (!signal.aborted) callback(toStatusObject(error, logger));
      },
    );
  };
}

export function serverStream<Request, Response>(
  handler: ServerStreamHandler<Request, Response>,
  logger: Logger,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    void pump(call, handler, logger);
  };
}

async function pump<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  handler: ServerStreamHandler<Request, Response>,
  logger: Logger,
): Promise<void> {
  const signal = signalOf(call);
  try {
    for await (const response of handler(call.request, { signal })) {
      if (signal.aborted) return;
      if (!call.write(response)) await new Promise<void>((resolve) => waitDrained(call, signal, resolve));
    }
    call.end();
  } catch (error) {
    call.emit("error", toStatusObject(error, logger));
  }
}

function waitDrained(
  call: { once(event: "drain", listener: () => void): unknown },
  signal: AbortSignal,
  done: () => void,
): void {
  call.once("drain", done);
  signal.addEventListener("abort", done, { once: true });
}

export function bidi(handler: BidiHandler, logger: Logger): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    let isOver = false;
    let frames: ReturnType<BidiHandler> | undefined;
    const close = () => {
      if (isOver) return;
      isOver = true;
      frames?.closed();
    };
    const fail = (error: unknown) => {
      if (isOver) return;
      call.emit("error", toStatusObject(error, logger));
      close();
    };
    const stream = {
      send: (frame: Buffer) => !isOver && call.write(frame),
      end: () => {
        if (isOver) return;
        call.end();
        close();
      },
      fail,
    };
    const onFrame = (bytes: Buffer) => {
      if (isOver) return;
      try {
        const pending = frames?.frame(bytes);
        if (!pending) return;
        call.pause();
        pending.then(() => call.resume(), fail);
      } catch (error) {
        fail(error);
      }
    };
    try {
      frames = handler(stream);
    } catch (error) {
      fail(error);
      return;
    }
    call.on("data", onFrame);
    call.on("drain", () => frames?.drained());
    call.on("end", () => {
      if (!isOver) frames?.ended();
    });
    call.on("cancelled", close);
    call.on("error", close);
    call.on("close", close);
  };
}
