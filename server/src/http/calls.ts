/**
 * The RPCs as calls with messages that have a JSON form. A request is encoded, given to the same handler that gRPC calls,
 * and what that answers is decoded: so both doors have the same limits and the same errors.
 */
import {
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { type GenericMethod, toBytes } from "../api/definition.ts";
import { contract } from "../api/descriptors.ts";
import type { OpenCalls } from "../api/open-calls.ts";
import type { Rpc, ServerStreamRpc, Service, UnaryRpc } from "../api/services.ts";
import type { TaskwireError } from "../domain/errors.ts";

export type Call = UnaryCall | StreamCall | BidiCall;

export interface UnaryCall {
  readonly kind: "unary";
  readonly method: DescMethodUnary;
  /** Rejects with the reason of the signal when that is aborted before the answer. */
  run(request: Message, signal: AbortSignal): Promise<Message>;
}

export interface StreamCall {
  readonly kind: "serverStream";
  readonly method: DescMethodServerStreaming;
  /** Throws the reason of the signal when that is aborted before the end. */
  run(request: Message, signal: AbortSignal): AsyncIterable<Message>;
}

/** Frames both ways need HTTP/2: not served here. */
export interface BidiCall {
  readonly kind: "bidi";
  readonly method: DescMethod;
}

/** All RPCs, by their paths: /taskwire.v1.TaskService/Enqueue. */
export function createCalls(services: readonly Service[], open: OpenCalls): ReadonlyMap<string, Call> {
  const entries = services.flatMap(({ definition: { fullName, methods }, rpcs }) =>
    Object.entries(rpcs).map(([key, rpc]): [string, Call] => {
      const definition = methods[key];
      const method = contract.getService(fullName)?.methods.find(({ name }) => name === definition?.name);
      if (!definition || !method) throw new Error(`the contract has no RPC ${fullName}/${key}`);
      return [`/${fullName}/${method.name}`, toCall(rpc, definition, method, open)];
    }),
  );
  return new Map(entries);
}

function toCall(rpc: Rpc, definition: GenericMethod, method: DescMethod, open: OpenCalls): Call {
  // That an RPC is of the kind that the contract says is checked when gRPC registers it.
  switch (rpc.kind) {
    case "unary":
      return unaryCall(rpc, definition, method as DescMethodUnary, open);
    case "serverStream":
      return streamCall(rpc, definition, method as DescMethodServerStreaming, open);
    case "bidi":
      return { kind: "bidi", method };
  }
}

function unaryCall(rpc: UnaryRpc, codecs: GenericMethod, method: DescMethodUnary, open: OpenCalls): UnaryCall {
  const { handler, takesBytes, effect } = rpc;
  return {
    kind: "unary",
    method,
    run: async (request, signal) => {
      const bytes = asBuffer(toBinary(method.input, request));
      const answering = handler(takesBytes ? bytes : codecs.requestType.decode(bytes), { signal });
      const onStop = (error: TaskwireError) => (effect === "none" ? error : error.withUnknownEffect());
      const response = await unlessEnded(answering, signal, open, onStop);
      return fromBinary(method.output, toBytes(codecs.responseType, response));
    },
  };
}

/** The answer; or the reason why it is no longer waited for, should that come first. */
function unlessEnded<Answer>(
  answering: Promise<Answer>,
  signal: AbortSignal,
  open: OpenCalls,
  onStop: (error: TaskwireError) => TaskwireError,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const over = () => {
      remove();
      signal.removeEventListener("abort", abandon);
    };
    const fail = (error: unknown) => {
      over();
      reject(error);
    };
    const abandon = () => fail(signal.reason);
    const remove = open.add((error) => fail(onStop(error)));
    signal.addEventListener("abort", abandon);
    answering.then((answer) => {
      over();
      resolve(answer);
    }, fail);
  });
}

function streamCall(
  { handler }: ServerStreamRpc,
  codecs: GenericMethod,
  method: DescMethodServerStreaming,
  open: OpenCalls,
): StreamCall {
  return {
    kind: "serverStream",
    method,
    run: async function* (request, signal) {
      const stopping = new AbortController();
      const remove = open.add((error) => stopping.abort(error));
      const either = AbortSignal.any([signal, stopping.signal]);
      try {
        const decoded = codecs.requestType.decode(toBinary(method.input, request));
        for await (const response of handler(decoded, { signal: either }))
          yield fromBinary(method.output, toBytes(codecs.responseType, response));
        if (either.aborted) throw either.reason;
      } finally {
        remove();
      }
    },
  };
}

/** The same bytes: handlers that read by hand want a Buffer. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
