/** The forms of answers, and how they are written. An error has the form of the Connect protocol on every path. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { LIMITS } from "../domain/limits.ts";
import { JSON_OPTIONS } from "./json.ts";

/** What is smaller is in the hands of the operating system at once. */
const LARGE_BYTES = 64 * 1024;

/** How long the rest of a request that is refused is waited for. */
const LINGER_MS = 2_000;

/** An error whose HTTP status is not the one that its code has in the Connect protocol. */
export class HttpError extends ConnectError {
  readonly status: number;

  constructor(status: number, code: Code, message: string) {
    super(message, code);
    this.status = status;
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = toBody(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  end(response, body);
}

/** Writes the whole body of an answer. A reader that does not take a large one in time is cut off: it would stay here. */
export function end(response: ServerResponse, body: Uint8Array): void {
  response.end(body);
  if (body.length < LARGE_BYTES) return;
  const timer = setTimeout(() => response.destroy(), LIMITS.httpIdleMs);
  response.once("close", () => clearTimeout(timer));
}

/** Answers with an error. Where an answer has begun already, all that is left is to break it off. */
export function refuse(response: ServerResponse, error: ConnectError): void {
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const body = toBody(errorToJson(error, JSON_OPTIONS));
  response.writeHead(statusOf(error), { "content-type": "application/json", "content-length": body.length });
  response.write(body);
  whenSent(response.req, () => response.end());
}

/** Whoever is amid sending could not read an answer on a connection that is closed: what still comes is dropped, for a while. */
function whenSent(request: IncomingMessage, done: () => void): void {
  const asksFirst = request.headers.expect !== undefined && !request.readableDidRead;
  if (request.complete || request.destroyed || asksFirst) return done();
  const finish = () => {
    clearTimeout(timer);
    request.off("end", finish).off("close", finish);
    done();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on("end", finish).on("close", finish).resume();
}

function toBody(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

export function statusOf(error: ConnectError): number {
  return "status" in error && typeof error.status === "number" ? error.status : codeToHttpStatus(error.code);
}

/** Aborted when the caller goes away before its answer is complete. */
export function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    // To abort costs a stack trace: not after each answer.
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/**
 * Writes to a stream; resolves when the next may be written, with false when the reader is gone. One that stays behind for
 * too long is cut off: what it does not take would pile up here.
 */
export function write(response: ServerResponse, chunk: Uint8Array | string): Promise<boolean> | boolean {
  if (response.destroyed) return false;
  if (response.write(chunk)) return true;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      response.off("drain", done).off("close", done);
      resolve(!response.destroyed);
    };
    const timer = setTimeout(() => response.destroy(), LIMITS.httpBehindMs);
    response.on("drain", done).on("close", done);
  });
}
