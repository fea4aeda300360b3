/** The forms of a Redis URL. What is said of a wrong one names no password. */
import { CannotStart } from "../../domain/cannot-start.ts";

export interface Node {
  readonly host: string;
  readonly port: number;
}

export interface Address {
  readonly kind: "standalone" | "cluster" | "sentinel";
  readonly nodes: readonly Node[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** The name under which the sentinels know the master; "" unless `kind` is "sentinel". */
  readonly master: string;
}

const FORM =
  /^(rediss?|redis\+cluster|redis\+sentinel):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Takes a URL apart: redis://, rediss:// (TLS), redis+cluster://host:port,host:port and
 * redis+sentinel://host:port,host:port/master. The last two take ?tls=true.
 * @throws CannotStart
 */
export function parseAddress(url: string): Address {
  const parts = FORM.exec(url);
  if (!parts) throw wrong("it must look like redis://host:port, rediss://, redis+cluster:// or redis+sentinel://");
  const [, scheme = "", username = "", password = "", hosts = "", path = "", query = ""] = parts;
  const kind = scheme === "redis+cluster" ? "cluster" : scheme === "redis+sentinel" ? "sentinel" : "standalone";
  const nodes = hosts.split(",").map((host) => parseNode(host, kind === "sentinel" ? 26_379 : 6_379));
  if (kind === "standalone" && nodes.length > 1)
    throw wrong("redis:// takes one host; use redis+cluster:// or redis+sentinel:// for several");
  if (kind === "sentinel" && path === "") throw wrong("redis+sentinel:// must end with / and the name of the master");
  if (kind === "standalone" && !/^\d{0,9}$/.test(path))
    throw wrong(`redis://host:port/ must end with the number of a database, not with ${JSON.stringify(path)}`);
  return {
    kind,
    nodes,
    tls: scheme === "rediss" || new URLSearchParams(query).get("tls") === "true",
    username: username === "" ? undefined : decodeURIComponent(username),
    password: password === "" ? undefined : decodeURIComponent(password),
    db: kind === "standalone" ? Number(path || 0) : 0,
    master: kind === "sentinel" ? path : "",
  };
}

/** For logs: no secrets. */
export function describeAddress({ kind, nodes, tls, db, master }: Address): string {
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(",");
  const scheme = kind === "standalone" ? (tls ? "rediss" : "redis") : `redis+${kind}`;
  return `${scheme}://${hosts}${master ? `/${master}` : ""}${db ? `/${db}` : ""}`;
}

function parseNode(text: string, defaultPort: number): Node {
  const [, host = "", port = String(defaultPort)] = /^(\[[^\]]+\]|[^:@]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === "" || Number(port) > 65_535)
    throw wrong(`${JSON.stringify(text.replace(/^.*@/, ""))} is not a host and port`);
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function wrong(what: string): CannotStart {
  return new CannotStart(`TASKWIRE_REDIS_URL is wrong: ${what}`);
}
