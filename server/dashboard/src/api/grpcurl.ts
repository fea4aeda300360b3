/** The same call as a command for a terminal. */
import { signal } from "@preact/signals";
import type { Rpc } from "./call.ts";

/** Where the broker serves gRPC; until it has told, its default. */
const address = signal("127.0.0.1:50051");

interface Config {
  readonly grpc: { readonly host: string; readonly port: number };
}

export async function loadAddress(): Promise<void> {
  const answer = await fetch("/ui/config.json");
  if (!answer.ok) return;
  const { grpc } = (await answer.json()) as Config;
  // It listens on every address: the one of this page is one of them.
  const isAny = grpc.host === "0.0.0.0" || grpc.host === "::";
  const host = isAny ? location.hostname.replace(/^\[|\]$/g, "") : grpc.host;
  address.value = `${host.includes(":") ? `[${host}]` : host}:${grpc.port}`;
}

export function grpcurl({ method, request }: Rpc): string {
  const body = JSON.stringify(request);
  const data = body === "{}" ? "" : ` -d ${quote(body)}`;
  return `grpcurl -plaintext${data} ${address.value} taskwire.v1.${method}`;
}

/** Nothing has a meaning for the shell between single quotes, but a single quote. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
