/** Calls RPCs as JSON. */

/** One call: what is sent, and what "copy as grpcurl" shows. */
export interface Rpc {
  /** Such as `TaskService/GetTask`. */
  readonly method: string;
  readonly request: object;
}

interface CallErrorOptions extends ErrorOptions {
  readonly code: string;
  readonly reason?: string;
}

/** Why a call was in vain. The message is the broker's own sentence. */
export class CallError extends Error {
  /** Such as `not_found`; `unreachable` when there was no answer. */
  readonly code: string;
  /** Such as `TASK_NOT_FOUND`; empty when the broker told none. */
  readonly reason: string;

  constructor(message: string, { code, reason = "", ...options }: CallErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = reason;
  }
}

export async function call<Response>({ method, request }: Rpc, signal?: AbortSignal): Promise<Response> {
  const answer = await post(`/taskwire.v1.${method}`, request, signal);
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw toCallError(answer.status, body);
  // The broker writes what the contract says.
  return body as Response;
}

async function post(path: string, request: object, signal: AbortSignal | undefined) {
  const headers = { "content-type": "application/json" };
  try {
    return await fetch(path, { method: "POST", headers, body: JSON.stringify(request), signal: signal ?? null });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new CallError("The broker does not answer", { code: "unreachable", cause });
  }
}

interface ErrorBody {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly type: string; readonly debug?: { readonly reason?: string } }[];
}

function toCallError(status: number, body: unknown): CallError {
  // An error of the Connect protocol, or nothing of the kind.
  const { code = `HTTP ${status}`, message, details = [] } = (body ?? {}) as ErrorBody;
  const { reason = "" } = details.find(({ type }) => type === "google.rpc.ErrorInfo")?.debug ?? {};
  return new CallError(message ?? `The broker answered with HTTP ${status}`, { code, reason });
}
