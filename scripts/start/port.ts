/** Whether an address can be listened on, and if not, who is there. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { Client } from "@taskwire/client";

const ASK_MS = 1_500;

/** Resolves with a sentence on why `address` cannot be used, or undefined when it can. */
export async function whyNotFree(address: string): Promise<string | undefined> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(address.slice(colon + 1));
  const server = createServer().listen({ host, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code !== "EADDRINUSE") return `cannot listen on ${address}: ${code}`;
    const [isBroker, owner] = await Promise.all([isTaskwire(address), ownerOf(port)]);
    const who = `${isBroker ? "another Taskwire broker" : "another program"}${owner ? ` (${owner})` : ""}`;
    return `${address} is taken by ${who}`;
  }
  server.close();
  await once(server, "close");
  return undefined;
}

async function isTaskwire(address: string): Promise<boolean> {
  const client = new Client({ address, deadlineMs: ASK_MS });
  const signal = AbortSignal.timeout(ASK_MS);
  try {
    for await (const _stats of client.watchStats({ limit: 1, signal })) return true;
  } catch {
    // Whatever it is, it does not speak like a broker.
  } finally {
    await client.close();
  }
  return false;
}

/** The process that listens on a port, as far as the tools of this machine tell. */
async function ownerOf(port: number): Promise<string | undefined> {
  const run = promisify(execFile);
  const lsof = await run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]).catch(() => undefined);
  const [, pid, command] = /^p(\d+)\n(?:f.*\n)?c(.*)$/m.exec(lsof?.stdout ?? "") ?? [];
  if (pid) return `process ${pid}, ${command}`;
  const ss = await run("ss", ["-Hltnp", `sport = :${port}`]).catch(() => undefined);
  const [, name, id] = /\("([^"]+)",pid=(\d+)/.exec(ss?.stdout ?? "") ?? [];
  return id && `process ${id}, ${name}`;
}
