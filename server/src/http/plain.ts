/**
 * RPCs that only read, as plain GETs for browsers and curl. Fields of the request are given in the query, by the names and
 * in the forms that they have in JSON: /queues?pageSize=10. The answer is the same JSON as that of the RPC.
 */
import type { ServerResponse } from "node:http";
import { type DescMessage, type Message, toJson } from "@bufbuild/protobuf";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { Fields } from "../api/parse/fields.ts";
import type { Logger } from "../observe/logger.ts";
import { sendJson, whenGone, write } from "./answer.ts";
import type { Call, StreamCall, UnaryCall } from "./calls.ts";
import { toConnectError } from "./errors.ts";
import { readJson } from "./explain.ts";
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
    "/failed": read(unary(calls, "/taskwire.v1.TaskService/ListTasks"), FAILED),
    "/events/stats": watch(stream(calls, "/taskwire.v1.StatsService/WatchStats"), logger),
  };
}

/** The last tasks that died. */
const FAILED = { fixed: { state: "TASK_STATE_DEAD" }, fallback: { pageSize: "100" } };

/** Fields that a path has by itself. */
interface Given {
  /** Those that a query may not have. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Those that it may. */
  readonly fallback: Readonly<Record<string, string>>;
}

function read({ method, run }: UnaryCall, given?: Given): Route {
  return {
    method: "GET",
    handle: async (_request, response, query) => {
      const answer = await run(requestFrom(query, method.input, given), whenGone(response));
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
      // Before anything is written: an error is answered as such.
      const first = await messages.next();
      response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
      try {
        if (request.method !== "HEAD") await sendEvents(response, method.output, first, messages);
      } catch (error) {
        if (!response.destroyed)
          response.write(event(errorToJson(toConnectError(error, logger), JSON_OPTIONS), "failed"));
      } finally {
        await messages.return?.();
        response.end();
      }
    },
  };
}

/** Until the stream ends, or its reader is gone. */
async function sendEvents(
  response: ServerResponse,
  output: DescMessage,
  first: IteratorResult<Message>,
  messages: AsyncIterator<Message>,
): Promise<void> {
  const heartbeat = setInterval(() => response.writableNeedDrain || response.write(": alive\n\n"), HEARTBEAT_MS);
  try {
    await write(response, `retry: ${RETRY_MS}\n\n`);
    for (let next = first; !next.done; next = await messages.next())
      if (!(await write(response, event(toJson(output, next.value, JSON_OPTIONS))))) return;
  } finally {
    clearInterval(heartbeat);
  }
}

function event(data: unknown, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** @throws INVALID_ARGUMENT */
function requestFrom(query: URLSearchParams, input: DescMessage, { fixed, fallback }: Given = NOTHING): Message {
  const fields = new Fields();
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1) fields.wrong(name, "is given more than once");
    if (Object.hasOwn(fixed, name)) fields.wrong(name, `is always ${fixed[name]} here: leave it out, or call the RPC`);
  }
  fields.check();
  return readJson({ ...fallback, ...Object.fromEntries(query), ...fixed }, input);
}

const NOTHING: Given = { fixed: {}, fallback: {} };

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
