/** Which handler answers at which path. Paths are compared as they came: nothing is decoded, so nothing can climb. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "../observe/logger.ts";
import { HttpError, refuse } from "./answer.ts";
import { toConnectError } from "./errors.ts";

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => Promise<void> | void;

/** What is at a path. A GET changes nothing, and also answers HEAD. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly handle: Handler;
}

/** Routes by path. */
export type Routes = Readonly<Record<string, Route>>;

export class Router {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #logger: Logger;

  constructor(routes: Routes, logger: Logger) {
    this.#routes = new Map(Object.entries(routes));
    this.#logger = logger;
  }

  /** Never rejects: what goes wrong is answered. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = "", method = "" } = request;
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    try {
      const route = this.#routes.get(path);
      if (!route) throw notFound(path, method);
      const allowed = route.method === "GET" ? ["GET", "HEAD"] : ["POST"];
      if (!allowed.includes(method)) {
        response.setHeader("allow", allowed.join(", "));
        throw new HttpError(405, Code.Unimplemented, `${path} takes ${allowed[0]}, not ${method}`);
      }
      await route.handle(request, response, new URLSearchParams(mark < 0 ? "" : url.slice(mark)));
    } catch (error) {
      refuse(response, toConnectError(error, this.#logger));
    }
  }
}

function notFound(path: string, method: string): ConnectError {
  const where = JSON.stringify(path.slice(0, 100));
  // To clients of the Connect protocol, a path that is not there is an RPC that is not there.
  if (method === "POST") return new HttpError(404, Code.Unimplemented, `there is no RPC at ${where}`);
  return new ConnectError(`there is nothing at ${where}`, Code.NotFound);
}
