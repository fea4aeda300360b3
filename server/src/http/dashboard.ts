/** The dashboard: pages for people, made of files that the build leaves beside the broker. All of them are kept in memory. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { sendJson } from "./answer.ts";
import type { Handler, Routes } from "./router.ts";

/** The addresses of pages. What is shown at each, the script decides. */
const PAGES = ["/", "/ui", "/ui/queues", "/ui/tasks", "/ui/task", "/ui/failures", "/ui/workers"];

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** What the dashboard shows of where it comes from. */
export interface DashboardConfig {
  /** Where gRPC is served, for commands to copy. */
  readonly grpc: { readonly host: string; readonly port: number };
}

/** @param config asked for with each request: where gRPC is served is known once it is */
export function dashboardRoutes(config: () => DashboardConfig): Routes {
  const folder = findFolder();
  const page = folder === undefined ? notBuilt : serve(readFileSync(join(folder, "index.html")), ".html", "no-cache");
  return {
    ...Object.fromEntries(PAGES.map((path) => [path, { method: "GET", handle: page } as const])),
    ...(folder && assetRoutes(join(folder, "assets"))),
    "/ui/config.json": { method: "GET", handle: (_request, response) => sendJson(response, config()) },
  };
}

/** Beside what was compiled; of a broker that runs from its sources, where the build would put it. */
function findFolder(): string | undefined {
  const folders = ["../dashboard/", "../../dist/dashboard/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return folders.find((folder) => existsSync(join(folder, "index.html")));
}

/** Each file is at the path of its own name, so no path leads out of the folder. */
function assetRoutes(folder: string): Routes {
  // The name has a hash of the content: another content is another file.
  const forEver = "public, max-age=31536000, immutable";
  const routes = readdirSync(folder).map((name) => {
    const handle = serve(readFileSync(join(folder, name)), extname(name), forEver);
    return [`/ui/assets/${name}`, { method: "GET", handle } as const];
  });
  return Object.fromEntries(routes);
}

function serve(content: Buffer, extension: string, cacheControl: string): Handler {
  const packed = gzipSync(content, { level: 9 });
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  const contentType = TYPES[extension] ?? "application/octet-stream";
  const headers = { "content-type": contentType, "cache-control": cacheControl, etag, vary: "accept-encoding" };
  return ({ headers: given, method }: IncomingMessage, response: ServerResponse) => {
    if (given["if-none-match"] === etag) {
      response.writeHead(304, headers);
      return void response.end();
    }
    const isPacked = /\bgzip\b/.test(String(given["accept-encoding"] ?? ""));
    const body = isPacked ? packed : content;
    const encoding = isPacked ? { "content-encoding": "gzip" } : {};
    response.writeHead(200, { ...headers, ...encoding, "content-length": body.length });
    response.end(method === "HEAD" ? undefined : body);
  };
}

function notBuilt(): never {
  throw new ConnectError("the dashboard was not built: run npm run build, and start the broker again", Code.NotFound);
}
