/** The four services of a broker, as any gRPC client sees them. */
import { Client, credentials, type StatusObject } from "@grpc/grpc-js";
import { Connection } from "@taskwire/client/connection";
import {
  BadRequest,
  ErrorInfo,
  QueueServiceDefinition,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
  StatsServiceDefinition,
  Status,
  TaskServiceDefinition,
  WorkerServiceDefinition,
} from "@taskwire/proto";

export interface Rpc {
  readonly connection: Connection;
  readonly tasks: ReturnType<typeof taskClient>;
  readonly workers: ReturnType<typeof workerClient>;
  readonly stats: ReturnType<typeof statsClient>;
  readonly queues: ReturnType<typeof queueClient>;
  close(): void;
}

const taskClient = (connection: Connection) => connection.client(TaskServiceDefinition);
const workerClient = (connection: Connection) => connection.client(WorkerServiceDefinition);
const statsClient = (connection: Connection) => connection.client(StatsServiceDefinition);
const queueClient = (connection: Connection) => connection.client(QueueServiceDefinition);

export function connect(address: string): Rpc {
  const connection = new Connection({ address });
  return {
    connection,
    tasks: taskClient(connection),
    workers: workerClient(connection),
    stats: statsClient(connection),
    queues: queueClient(connection),
    close: () => connection.close(),
  };
}

/** How a call was refused: its status, and every google.rpc detail that came with it. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  /** The reason of ErrorInfo; undefined without one. */
  readonly reason: string | undefined;
  readonly fields: readonly { readonly field: string; readonly description: string }[];
  readonly retryAfterMs: number | undefined;
  readonly quota: string | undefined;
  readonly resource: string | undefined;
}

/** What a call needs to be told to find out how it was refused. */
export interface TrailerOption {
  readonly onTrailer: (trailer: { get(key: string): string | Uint8Array | undefined }) => void;
}

/** Makes a call that must fail; resolves with how. */
export async function refused(call: (options: TrailerOption) => Promise<unknown>): Promise<Refusal> {
  let details: Uint8Array | undefined;
  const onTrailer: TrailerOption["onTrailer"] = (trailer) => {
    const value = trailer.get(DETAILS);
    if (value instanceof Uint8Array) details = value;
  };
  let answer: unknown;
  try {
    answer = await call({ onTrailer });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && typeof error.code === "number")) throw error;
    const message = "details" in error ? String(error.details) : error.message;
    return readRefusal(error.code, message, details);
  }
  throw new Error(`the call must fail, but it answered ${JSON.stringify(answer)}`);
}

/** Calls an RPC with bytes that no client would send; resolves with how it ended. */
export async function sendBytes(address: string, path: string, bytes: Buffer): Promise<Refusal> {
  const client = new Client(address, credentials.createInsecure());
  try {
    const asIs = (message: Buffer) => message;
    // A single answer is a stream of one.
    const call = client.makeServerStreamRequest(path, asIs, asIs, bytes).on("error", () => undefined);
    return await new Promise((resolve) => call.resume().on("status", (status) => resolve(refusalOf(status))));
  } finally {
    client.close();
  }
}

const DETAILS = "grpc-status-details-bin";

/** How a stream ended. */
export function refusalOf({ code, details, metadata }: StatusObject): Refusal {
  const [value] = metadata.get(DETAILS);
  return readRefusal(code, details, Buffer.isBuffer(value) ? value : undefined);
}

export function readRefusal(code: number, message: string, details: Uint8Array | undefined): Refusal {
  const found = new Map(details ? Status.decode(details).details.map(({ typeUrl, value }) => [typeUrl, value]) : []);
  const detail = <Message>(name: string, decode: (bytes: Uint8Array) => Message): Message | undefined => {
    const bytes = found.get(`type.googleapis.com/google.rpc.${name}`);
    return bytes && decode(bytes);
  };
  const delay = detail("RetryInfo", RetryInfo.decode)?.retryDelay;
  return {
    code,
    message,
    reason: detail("ErrorInfo", ErrorInfo.decode)?.reason,
    fields: detail("BadRequest", BadRequest.decode)?.fieldViolations ?? [],
    retryAfterMs: delay && delay.seconds * 1_000 + delay.nanos / 1e6,
    quota: detail("QuotaFailure", QuotaFailure.decode)?.violations[0]?.subject,
    resource: detail("ResourceInfo", ResourceInfo.decode)?.resourceType,
  };
}
