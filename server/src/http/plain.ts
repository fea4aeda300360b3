/**
 * RPCs that only read, as plain GETs for browsers and curl. Fields of the request are given in the query, by the names and
 * in the forms that they have in JSON: /queues?pageSize=10. The answer is the same JSON as that of the RPC.
 */
import { fromJson, type Message, toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import type { Logger } from "../observe/logger.ts";
import { invalid, sendJson, whenGone, write } from "./answer.ts";
import type { Call, StreamCall, UnaryCall } from "./calls.ts";
import { toConnectError } from "./errors.ts";
import { JSON_OPTIONS } from "./json.ts";
import type { Route, Routes } from "./router.ts";

/** Before proxies and browsers take a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2_000;

export function plainRoutes(calls: ReadonlyMap<string, Call>, logger: Logger): Routes {
  return {
    "/stats": read(unary(calls, "/taskwire.v1.StatsService/GetStats")),
    "/queues": read(unary(calls, "/taskwire.v1.QueueService/ListQueues")),
    "/events/stats": watch(stream(calls, "/taskwire.v1.StatsService/WatchStats"), logger),
  };
}

function read({ method, run }: UnaryCall): Route {
  return {
    method: "GET",
    handle: async (_request, response, query) => {
      const answer = await run(requestFrom(query, method.input), whenGone(response));
      sendJson(response, toJson(method.output, answer, JSON_OPTIONS));
    },
  };
}

/** Server-sent events: each message of a stream is one. A browser that connects again begins anew. */
function watch({ method, run }: StreamCall, logger: Logger): Route {
  return {
    method: "GET",
    handle: async (request, response, query) => {
      const messages = run(requestFrom(query, method.input), whenGone(response))[Symbol.asyncIterator]();
      // An error before the first one is answered as such.
      let next = await messages.next();
      response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
      if (request.method === "HEAD") {
        await messages.return?.();
        return void response.end();
      }
      await write(response, `retry: ${RETRY_MS}\n\n`);
      const heartbeat = setInterval(() => response.writableNeedDrain || response.write(": alive\n\n"), HEARTBEAT_MS);
      try {
        for (; !next.done; next = await messages.next()) {
          const data = JSON.stringify(toJson(method.output, next.value, JSON_OPTIONS));
          if (!(await write(response, `data: ${data}\n\n`))) break;
        }
      } catch (error) {
        if (!response.destroyed) {
          const data = JSON.stringify(errorToJson(toConnectError(error, logger), JSON_OPTIONS));
          response.write(`event: failed\ndata: ${data}\n\n`);
        }
      } finally {
        clearInterval(heartbeat);
        await messages.return?.();
        response.end();
      }
    },
  };
}

function requestFrom(query: URLSearchParams, input: UnaryCall["method"]["input"]): Message {
  try {
    return fromJson(input, Object.fromEntries(query), JSON_OPTIONS);
  } catch (error) {
    throw invalid(ConnectError.from(error).rawMessage);
  }
}

function unary(calls: ReadonlyMap<string, Call>, path: string): UnaryCall {
  const call = calls.get(path);
  if (call?.kind !== "unary") throw new Error(`${path} is not a unary RPC`);
  return call;
}

function stream(calls: ReadonlyMap<string, Call>, path: string): StreamCall {
  const call = calls.get(path);
  if (call?.kind !== "serverStream") throw new Error(`${path} is not an RPC with a stream of answers`);
  return call;
}
