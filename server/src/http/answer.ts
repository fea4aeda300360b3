/** The forms of answers, and how they are written. An error has the form of the Connect protocol on every path. */
import type { ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { LIMITS } from "../domain/limits.ts";
import { JSON_OPTIONS } from "./json.ts";

/** An error whose HTTP status is not the one that its code has in the Connect protocol. */
export class HttpError extends ConnectError {
  readonly status: number;

  constructor(status: number, code: Code, message: string) {
    super(message, code);
    this.status = status;
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** Answers with an error. Where an answer has begun already, all that is left is to break it off. */
export function refuse(response: ServerResponse, error: ConnectError): void {
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) response.destroy();
  else sendJson(response, errorToJson(error, JSON_OPTIONS), statusOf(error));
}

export function statusOf(error: ConnectError): number {
  return "status" in error && typeof error.status === "number" ? error.status : codeToHttpStatus(error.code);
}

export function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
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
