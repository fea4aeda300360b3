import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { OpenCalls } from "../api/open-calls.ts";
import type { Service } from "../api/services.ts";
import { CannotStart } from "../domain/cannot-start.ts";
import { LIMITS } from "../domain/limits.ts";
import { addressText } from "../lib/address.ts";
import type { Logger } from "../observe/logger.ts";
import type { MetricsPage } from "../observe/metrics.ts";
import { HttpError, refuse, statusOf } from "./answer.ts";
import { Bodies } from "./bodies.ts";
import { createCalls } from "./calls.ts";
import { connectRoutes } from "./connect.ts";
import { type DashboardConfig, dashboardRoutes } from "./dashboard.ts";
import { Gate } from "./gate.ts";
import { healthRoutes, Readiness } from "./health.ts";
import { metricsRoutes } from "./metrics.ts";
import { plainRoutes } from "./plain.ts";
import { Router } from "./router.ts";

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly maxPayloadBytes: number;
  readonly requestTimeoutMs: number;
}

/** What is served. */
export interface HttpParts {
  readonly services: readonly Service[];
  readonly metrics: MetricsPage;
  readonly logger: Logger;
  /** What the dashboard is told. */
  readonly dashboard: () => DashboardConfig;
}

/** What a page of ours may do in a browser, and that no other may do anything with what it gets from here. */
const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** How often it is looked for requests that come too slowly, and for idle connections of a stopping server. */
const CHECK_MS = 500;
/** Base64 in JSON makes a third more of a payload. */
const JSON_GROWTH = 4 / 3;

/** The HTTP door: the same RPCs as JSON, and what a browser or a monitor asks for. Every request goes gate → router → route. */
export class HttpServer {
  readonly #server: Server;
  readonly #options: HttpOptions;
  readonly #calls = new OpenCalls();
  readonly #readiness = new Readiness();
  readonly #gate: Gate;
  readonly #router: Router;
  /** The last response of each connection, while there is one. */
  readonly #responses = new WeakMap<Duplex, ServerResponse>();
  #underWay = 0;

  constructor({ services, metrics, logger, dashboard }: HttpParts, options: HttpOptions) {
    const { host, allowedHosts, maxPayloadBytes, requestTimeoutMs } = options;
    this.#options = options;
    this.#gate = new Gate(host, allowedHosts);
    const bodies = new Bodies(Math.ceil((maxPayloadBytes + LIMITS.messageOverheadBytes) * JSON_GROWTH));
    const calls = createCalls(services, this.#calls);
    const routes = {
      ...dashboardRoutes(dashboard),
      ...healthRoutes(this.#readiness),
      ...plainRoutes(calls, logger),
      ...metricsRoutes(metrics),
      ...connectRoutes(calls, { bodies, logger }),
    };
    this.#router = new Router(routes, logger);
    this.#server = createServer({
      maxHeaderSize: LIMITS.httpHeaderBytes,
      headersTimeout: Math.min(LIMITS.httpHeadersMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: LIMITS.httpIdleMs,
      connectionsCheckingInterval: CHECK_MS,
      // The gate has words for it; Node has none.
      requireHostHeader: false,
    });
    this.#server.maxConnections = LIMITS.httpConnections;
    const onRequest = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    this.#server.on("request", onRequest);
    // Otherwise Node would ask for the body before anyone has looked at the request.
    this.#server.on("checkContinue", onRequest);
    this.#server.on("checkExpectation", (request, response) =>
      this.#answer(request, response, new HttpError(417, Code.InvalidArgument, unexpected(request))),
    );
    this.#server.on("clientError", (error, socket) => this.#badRequest(error, socket));
  }

  /** Listens; resolves with the port. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    this.#server.listen({ host, port });
    try {
      await once(this.#server, "listening");
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CannotStart(
        `cannot listen on ${addressText(host, port)}: ${reason}; is another broker running there? TASKWIRE_HTTP_LISTEN sets another address, or off`,
        { cause },
      );
    }
    // It listens on TCP.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether the store can be reached. */
  setAvailable(isAvailable: boolean): void {
    this.#readiness.setAvailable(isAvailable);
  }

  /** Says that it is not ready, and still serves. */
  drain(): void {
    this.#readiness.drain();
  }

  /** Takes no new connections, gives calls under way `graceMs` to end by themselves, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.drain();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    const ending = setTimeout(() => this.#calls.endAll(), graceMs);
    const sweeping = setInterval(() => this.#server.closeIdleConnections(), CHECK_MS / 10);
    // A client that does not even take the end of its calls must not hold the broker up.
    const cutting = setTimeout(() => this.#server.closeAllConnections(), 2 * graceMs);
    await closed;
    clearTimeout(ending);
    clearTimeout(cutting);
    clearInterval(sweeping);
  }

  /** @param flaw what is wrong with a request whose host is ours */
  #answer(request: IncomingMessage, response: ServerResponse, flaw?: ConnectError): void {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    this.#responses.set(request.socket, response);
    const refusal = this.#gate.refusal(request) ?? flaw ?? this.#overload();
    if (refusal) return refuse(response, refusal);
    this.#underWay++;
    response.once("close", () => this.#underWay--);
    void this.#router.answer(request, response);
  }

  #overload(): ConnectError | undefined {
    if (this.#underWay < LIMITS.httpRequests) return undefined;
    return new ConnectError(`${LIMITS.httpRequests} requests are under way: try again`, Code.ResourceExhausted);
  }

  /** What came is not HTTP, has too large headers, or came too slowly. */
  #badRequest(error: Error, socket: Duplex): void {
    const refusal = toRefusal(error);
    const response = this.#responses.get(socket);
    if (!socket.writable || (response && !response.writableFinished && response.req.complete)) {
      // Amid an answer to an earlier request there is no place to say it.
      socket.destroy();
    } else if (response && !response.req.complete) {
      response.shouldKeepAlive = false;
      refuse(response, refusal);
    } else {
      const status = statusOf(refusal);
      const body = `${JSON.stringify(errorToJson(refusal, undefined))}\n`;
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
          `x-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    }
  }
}

function unexpected({ headers }: IncomingMessage): string {
  return `the header Expect is ${JSON.stringify(headers.expect?.slice(0, 100))}; only 100-continue is known`;
}

function toRefusal(error: Error): ConnectError {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new HttpError(408, Code.DeadlineExceeded, "the request came too slowly (TASKWIRE_HTTP_REQUEST_TIMEOUT_MS)");
  if (code === "HPE_HEADER_OVERFLOW") {
    const sentence = `the headers are too large; at most ${LIMITS.httpHeaderBytes} bytes are allowed`;
    return new HttpError(431, Code.ResourceExhausted, sentence);
  }
  return new HttpError(400, Code.InvalidArgument, "the request is not valid HTTP/1.1");
}
