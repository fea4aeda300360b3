/**
 * Keeps web pages out. A page of any site can make the browser of whoever looks at it send requests to this machine, also to
 * its loopback. So a request must name this broker as its host (a page may have its own name lead here), and must not come
 * from a page of another origin. Nothing here looks at who the caller is.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { isLoopback } from "../lib/address.ts";

export class Gate {
  readonly #hosts: ReadonlySet<string>;
  readonly #listensEverywhere: boolean;

  /** @param host where the broker listens; @param allowedHosts further names of it */
  constructor(host: string, allowedHosts: readonly string[]) {
    this.#hosts = new Set([host, ...allowedHosts].map((name) => withoutBrackets(name.toLowerCase())));
    this.#listensEverywhere = host === "0.0.0.0" || host === "::";
  }

  /** Why a request is not let in; undefined when it is. */
  refusal({ headers }: IncomingMessage): ConnectError | undefined {
    const host = (headers.host ?? "").toLowerCase();
    if (!this.#isOurs(host)) {
      return denied(
        `the header Host is ${quote(host)}, which is not a name of this broker: TASKWIRE_HTTP_ALLOWED_HOSTS adds names`,
      );
    }
    const { origin } = headers;
    if (origin !== undefined && !isSame(origin.toLowerCase(), host))
      return denied(`the request comes from a page of ${quote(origin)}; only pages of this broker may call it`);
    // A request for an image, say, has no Origin. To follow a link from anywhere is all right.
    const isEmbedded = headers["sec-fetch-mode"] !== "navigate" && /^(cross|same)-site$/.test(fetchSite(headers));
    return isEmbedded ? denied("the request comes from a page of another site") : undefined;
  }

  #isOurs(host: string): boolean {
    const [, name = ""] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d+)?$/.exec(host) ?? [];
    const bare = withoutBrackets(name);
    // A page can have its name lead here, but no address: those belong to whom they belong.
    return isLoopback(bare) || this.#hosts.has(bare) || (this.#listensEverywhere && isIP(bare) !== 0);
  }
}

function isSame(origin: string, host: string): boolean {
  // A proxy in front may have taken the encryption off.
  return origin === `http://${host}` || origin === `https://${host}`;
}

function fetchSite(headers: IncomingMessage["headers"]): string {
  return String(headers["sec-fetch-site"] ?? "none");
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[|\]$/g, "");
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function denied(message: string): ConnectError {
  return new ConnectError(message, Code.PermissionDenied);
}
