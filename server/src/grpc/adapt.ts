/** From the handlers of api/ to those of grpc-js. Errors become statuses here, and nowhere else. */
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  type StatusObject,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { Status } from "@taskwire/proto";
import type { BidiHandler, CallContext } from "../api/call.ts";
import type { GenericMethod } from "../api/definition.ts";
import type { OpenCalls } from "../api/open-calls.ts";
import { decodeAs } from "../api/parse/decode.ts";
import type { Rpc, ServerStreamRpc, UnaryRpc } from "../api/services.ts";
import { toStatus } from "../api/status.ts";
import { TaskwireError } from "../domain/errors.ts";
import type { Logger } from "../observe/logger.ts";

/** What the adapters share. */
export interface Adapting {
  readonly logger: Logger;
  readonly calls: OpenCalls;
}

/** The handler of a method whose requests come as bytes. */
export function adapt(rpc: Rpc, method: GenericMethod, adapting: Adapting): UntypedHandleCall {
  switch (rpc.kind) {
    case "unary":
      return unary(rpc, method, adapting);
    case "serverStream":
      return serverStream(rpc.handler, method, adapting);
    case "bidi":
      // Its frames are read by its handler.
      return bidi(rpc.handler, adapting);
  }
}

/** @throws INVALID_ARGUMENT */
function decode({ name, requestType }: GenericMethod, bytes: Buffer): unknown {
  return decodeAs("request", `${name}Request`, () => requestType.decode(bytes));
}

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

function unary(
  { handler, takesBytes, effect }: UnaryRpc,
  method: GenericMethod,
  { logger, calls }: Adapting,
): handleUnaryCall<Buffer, unknown> {
  // What cannot be decoded is refused like anything else that is wrong with a request.
  const handle = takesBytes
    ? handler
    : async (bytes: Buffer, context: CallContext) => handler(decode(method, bytes), context);
  return (call, callback) => {
    const signal = signalOf(call);
    let isOver = false;
    const finish = (answer: () => void) => {
      if (isOver) return;
      isOver = true;
      remove();
      // A caller that is gone needs no answer; what its handler threw for that reason is no news.
      if (!signal.aborted) answer();
    };
    const fail = (error: unknown) => finish(() => callback(toStatusObject(error, logger)));
    const remove = calls.add((error) => fail(effect === "none" ? error : error.withUnknownEffect()));
    handle(call.request, { signal }).then((response) => finish(() => callback(null, response)), fail);
  };
}

function serverStream(
  handler: ServerStreamRpc["handler"],
  method: GenericMethod,
  adapting: Adapting,
): handleServerStreamingCall<Buffer, unknown> {
  return (call) => {
    void pump(call, (context) => handler(decode(method, call.request), context), adapting);
  };
}

async function pump(
  call: ServerWritableStream<Buffer, unknown>,
  open: (context: CallContext) => AsyncIterable<unknown>,
  { logger, calls }: Adapting,
): Promise<void> {
  const signal = signalOf(call);
  const remove = calls.add((error) => call.emit("error", toStatusObject(error, logger)));
  try {
    for await (const response of open({ signal })) {
      if (signal.aborted) return;
      if (!call.write(response)) await new Promise<void>((resolve) => waitDrained(call, signal, resolve));
    }
    call.end();
  } catch (error) {
    call.emit("error", toStatusObject(error, logger));
  } finally {
    remove();
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

export function bidi(handler: BidiHandler, { logger, calls }: Adapting): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    let isOver = false;
    let frames: ReturnType<BidiHandler> | undefined;
    const close = () => {
      if (isOver) return;
      isOver = true;
      remove();
      frames?.closed();
    };
    const fail = (error: unknown) => {
      if (isOver) return;
      const isOpen = error instanceof TaskwireError && frames !== undefined && frames.unanswered > 0;
      call.emit("error", toStatusObject(isOpen ? error.withUnknownEffect() : error, logger));
      close();
    };
    const remove = calls.add(fail);
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
