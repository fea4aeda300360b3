/** The HTTP door of a broker: by hand, as curl and browsers use it, and through clients of the Connect protocol. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { createFileRegistry, fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type CallOptions, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Status } from "@taskwire/proto";
import { descriptorSet } from "@taskwire/proto/descriptors";
import { type Refusal, readRefusal } from "./rpc.ts";

export const contract = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text, as JSON. Throws when it is none. */
  readonly json: JsonAnswer;
}

/** Whatever a test wants to look at. */
// biome-ignore lint/suspicious/noExplicitAny: answers of many forms, held against literals
type JsonAnswer = any;

export interface HttpQuestion {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
}

/** Sends a request with exactly this path and these headers; resolves when the answer is complete. */
export async function ask(address: string, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const response = await open(address, path, question);
  const text = (await buffer(response)).toString();
  const { statusCode: status = 0, headers } = response;
  return {
    status,
    headers,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

/** The same; resolves when the answer begins. */
export function open(address: string, path: string, question: HttpQuestion = {}): Promise<IncomingMessage> {
  const { method = question.body === undefined ? "GET" : "POST", headers, body, signal } = question;
  const { host, port } = hostAndPort(address);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, path, method, headers, signal, agent: false }, resolve);
    request.on("error", reject);
    request.end(body);
  });
}

/** Calls an RPC as curl does. */
export function post(
  address: string,
  rpc: string,
  message: JsonObject,
  question: HttpQuestion = {},
): Promise<HttpAnswer> {
  const headers = { "content-type": "application/json", ...question.headers };
  return ask(address, `/taskwire.v1.${rpc}`, { ...question, headers, body: JSON.stringify(message) });
}

/** A connection that says what the test wants it to say. */
export function rawSocket(address: string): Socket {
  return connect(hostAndPort(address));
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}

/** A method of a Connect client. The descriptors are read at run time, so there are no types for its messages. */
type Unary = (request: object, options?: CallOptions) => Promise<JsonAnswer>;
type Stream = (request: object, options?: CallOptions) => AsyncIterable<JsonAnswer>;

export interface ConnectClients {
  readonly tasks: Record<"enqueue" | "enqueueBatch" | "getTask" | "awaitTask", Unary>;
  readonly workers: Record<"pullTasks" | "settleTasks", Unary>;
  readonly stats: { readonly getStats: Unary; readonly watchStats: Stream };
  readonly queues: Record<"listQueues" | "getQueue", Unary>;
}

/** Clients as @connectrpc/connect makes them. */
export function connectClients(address: string, useBinaryFormat: boolean): ConnectClients {
  const transport = createConnectTransport({ baseUrl: `http://${address}`, httpVersion: "1.1", useBinaryFormat });
  const client = (name: string) => {
    const service = contract.getService(`taskwire.v1.${name}`);
    if (!service) throw new Error(`the contract has no ${name}`);
    return createClient(service, transport) as unknown;
  };
  return {
    tasks: client("TaskService"),
    workers: client("WorkerService"),
    stats: client("StatsService"),
    queues: client("QueueService"),
  } as ConnectClients;
}

/** Makes a call over the Connect protocol that must fail; resolves with how. */
export async function refusedOverHttp(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    const { code, rawMessage: message, details } = ConnectError.from(error);
    const anys = details.flatMap((detail) =>
      "type" in detail ? [{ typeUrl: `type.googleapis.com/${detail.type}`, value: Buffer.from(detail.value) }] : [],
    );
    return readRefusal(code, message, Status.encode({ code, message, details: anys }).finish());
  }
  throw new Error(`the call must fail, but it answered ${String(answer)}`);
}
