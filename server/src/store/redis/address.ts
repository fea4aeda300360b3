/** The forms of a Redis URL. */

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
 */
export function parseAddress(url: string): Address {
  const parts = FORM.exec(url);
  if (!parts)
    throw new Error("the Redis URL must look like redis://host:port, rediss://, redis+cluster:// or redis+sentinel://");
  const [, scheme = "", username = "", password = "", hosts = "", path = "", query = ""] = parts;
  const kind = scheme === "redis+cluster" ? "cluster" : scheme === "redis+sentinel" ? "sentinel" : "standalone";
  const nodes = hosts.split(",").map((host) => parseNode(host, kind === "sentinel" ? 26_379 : 6_379));
  if (kind === "standalone" && nodes.length > 1)
    throw new Error("redis:// takes one host; use redis+cluster:// or redis+sentinel:// for several");
  if (kind === "sentinel" && path === "") throw new Error("redis+sentinel:// must end with the name of the master");
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
  const [, host = "", port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === "") throw new Error(`not a host and port: ${text}`);
  return { host: host.replace(/^\[|\]$/g, ""), port: port ? Number(port) : defaultPort };
}
