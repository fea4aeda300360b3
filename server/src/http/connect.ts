/** The RPCs over the Connect protocol: one POST each, as JSON or as protobuf. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, createContextKey, createContextValues } from "@connectrpc/connect";
import { createAsyncIterable, encodeEnvelope, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { endStreamFlag, errorToJson, parseContentType } from "@connectrpc/connect/protocol-connect";
import { decodeAs } from "../api/parse/decode.ts";
import type { Logger } from "../observe/logger.ts";
import { end, HttpError, whenGone, write } from "./answer.ts";
import type { Bodies } from "./bodies.ts";
import type { BidiCall, Call, StreamCall, UnaryCall } from "./calls.ts";
import { toConnectError } from "./errors.ts";
import { checkJson } from "./explain.ts";
import { JSON_OPTIONS } from "./json.ts";
import { refuseLongLists } from "./long-lists.ts";
import type { Handler, Route, Routes } from "./router.ts";

export interface ConnectOptions {
  readonly bodies: Bodies;
  readonly logger: Logger;
}

/** What of a request the protocol looks at. */
const HEADERS = [
  "content-type",
  "content-encoding",
  "accept-encoding",
  "connect-content-encoding",
  "connect-accept-encoding",
  "connect-timeout-ms",
  "connect-protocol-version",
];

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whether the library could make a message of a request. */
const WAS_READ = createContextKey(false);

/** A route for each RPC. */
export function connectRoutes(calls: ReadonlyMap<string, Call>, options: ConnectOptions): Routes {
  return Object.fromEntries([...calls].map(([path, call]) => [path, toRoute(call, options)]));
}

function toRoute(call: Call, options: ConnectOptions): Route {
  return { method: "POST", handle: call.kind === "bidi" ? refuseBidi(call) : serve(call, options) };
}

function serve(call: UnaryCall | StreamCall, { bodies, logger }: ConnectOptions): Handler {
  const handler = protocolHandler(call, logger);
  return async (request, response) => {
    const { isBinary } = contentTypeOf(request, call);
    if (call.kind === "unary") checkHeaders(request);
    const signal = whenGone(response);
    const body = await bodies.read(request, response);
    if (call.kind === "unary") refuseLongLists(body, isBinary, call.method.input);
    if (isBinary && call.kind === "unary") checkEncoding(body, call);
    const contextValues = createContextValues();
    const answer = await handler({
      httpVersion: request.httpVersion,
      method: "POST",
      // Asked for its query only.
      url: "http://localhost/",
      header: headersOf(request),
      body: createAsyncIterable([body]),
      contextValues,
      signal,
    });
    // The library has refused it: what is wrong with JSON is told better here.
    if (call.kind === "unary" && !isBinary && !contextValues.get(WAS_READ)) checkJson(body, call.method.input);
    await send(answer, response, call.kind);
  };
}

async function send(
  { status, header, body = createAsyncIterable<Uint8Array>([]) }: UniversalServerResponse,
  response: ServerResponse,
  kind: Call["kind"],
): Promise<void> {
  response.writeHead(status, Object.fromEntries(header ?? []));
  for await (const chunk of body) {
    // A single answer is one chunk.
    if (kind === "unary") return end(response, chunk);
    if (!(await write(response, chunk))) break;
  }
  response.end();
}

/** Reads and writes the protocol around a call: timeouts, JSON or protobuf, envelopes of streams, errors. */
function protocolHandler(call: UnaryCall | StreamCall, logger: Logger) {
  const router = createConnectRouter({ grpc: false, grpcWeb: false, jsonOptions: JSON_OPTIONS });
  if (call.kind === "unary") {
    router.rpc(call.method, async (request, { signal, requestHeader, values }) => {
      values.set(WAS_READ, true);
      try {
        return await call.run(request, signal);
      } catch (error) {
        throw isTimeout(error, signal) ? timedOut(requestHeader) : toConnectError(error, logger);
      }
    });
  } else {
    router.rpc(call.method, async function* (request, { signal }) {
      try {
        yield* call.run(request, signal);
      } catch (error) {
        throw toConnectError(error, logger);
      }
    });
  }
  const [handler] = router.handlers;
  if (!handler) throw new Error(`there is no handler for ${call.method.name}`);
  return handler;
}

function isTimeout(error: unknown, { reason }: AbortSignal): boolean {
  return error === reason && error instanceof ConnectError && error.code === Code.DeadlineExceeded;
}

function timedOut(headers: Headers): ConnectError {
  const sentence = `there was no answer within ${headers.get("connect-timeout-ms")} ms (connect-timeout-ms)`;
  return new ConnectError(sentence, Code.DeadlineExceeded);
}

/** Also what keeps forms of web pages out: those can send none of these types. */
function contentTypeOf({ headers }: IncomingMessage, { kind, method }: Call): { readonly isBinary: boolean } {
  const given = headers["content-type"] ?? "";
  const type = parseContentType(given);
  if (type?.stream === (kind === "serverStream")) return { isBinary: type.binary };
  const wanted =
    kind === "serverStream" ? "application/connect+json or connect+proto" : "application/json or application/proto";
  const advice = given.startsWith("application/grpc") ? "; gRPC has a port of its own" : "";
  const sentence = `the content type is ${JSON.stringify(given.slice(0, 100))}; ${method.name} takes ${wanted}${advice}`;
  throw new HttpError(415, Code.InvalidArgument, sentence);
}

/** What the library would refuse without saying what it wants. */
function checkHeaders({ headers }: IncomingMessage): void {
  const { "content-encoding": encoding = "identity", "connect-timeout-ms": timeout = "0" } = headers;
  const quote = (value: string | string[]) => JSON.stringify(String(value).slice(0, 100));
  if (encoding !== "identity") {
    const sentence = `the content encoding is ${quote(encoding)}; send the request as it is: none is known here`;
    throw new ConnectError(sentence, Code.Unimplemented);
  }
  if (!/^\d{1,10}$/.test(String(timeout))) {
    const sentence = `connect-timeout-ms is ${quote(timeout)}; must be a whole number of at most 10 digits`;
    throw new ConnectError(sentence, Code.InvalidArgument);
  }
}

/** The library takes bytes that are no message for a fault of the server. */
function checkEncoding(body: Buffer, { method: { input } }: UnaryCall): void {
  decodeAs("request", input.name, () => fromBinary(input, body));
}

function headersOf({ headers }: IncomingMessage): Headers {
  const result = new Headers();
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === "string") result.set(name, name === "connect-timeout-ms" ? boundedTimeout(value) : value);
  }
  return result;
}

/** The protocol allows 115 days; a timer of Node that is set to more than 24 goes off at once. */
function boundedTimeout(value: string): string {
  return /^\d{10}$/.test(value) ? String(Math.min(Number(value), MAX_TIMER_MS)) : value;
}

function refuseBidi({ method }: BidiCall): Handler {
  const sentence = `${method.name} is a stream both ways, which HTTP/1.1 cannot carry: call it over gRPC`;
  const error = new ConnectError(sentence, Code.Unimplemented);
  const lastMessage = encodeEnvelope(
    endStreamFlag,
    Buffer.from(JSON.stringify({ error: errorToJson(error, undefined) })),
  );
  return ({ headers }: IncomingMessage, response: ServerResponse) => {
    const contentType = headers["content-type"] ?? "";
    if (!parseContentType(contentType)?.stream) throw error;
    // Clients look for the error of a stream in its last message.
    response.writeHead(200, { "content-type": contentType, connection: "close" });
    response.end(lastMessage);
  };
}
