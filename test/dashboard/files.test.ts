import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DashboardBroker, startBroker } from "./broker.ts";

const FOLDER = fileURLToPath(new URL("../../server/dist/dashboard/", import.meta.url));
const MOST_SCRIPT_BYTES = 150 * 1_024;

let broker: DashboardBroker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

function asset(extension: string): string {
  const name = readdirSync(`${FOLDER}assets`).find((one) => one.endsWith(extension));
  return `/ui/assets/${name}`;
}

test("all scripts together are at most 150 KiB after gzip", () => {
  const scripts = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(FOLDER + name), { level: 9 }).length, 0);

  expect(scripts).not.toEqual([]);
  expect(bytes).toBeLessThanOrEqual(MOST_SCRIPT_BYTES);
});

test("the page has no script and no style of its own, and the policy forbids them", async () => {
  const answer = await fetch(broker.url);
  const page = await answer.text();

  expect(answer.headers.get("content-security-policy")).toContain("default-src 'self'");
  expect(page).not.toMatch(/<style|style=|<script>|\son\w+=/);
  expect(page).toMatch(/<script [^>]*src="\/ui\/assets\/[^"]+\.js"/);
});

test("each page of the dashboard answers with the same page, and is asked for again each time", async () => {
  const page = await (await fetch(broker.url)).text();
  for (const path of ["/ui", "/ui/queues", "/ui/tasks?state=dead", "/ui/task?id=x", "/ui/failures", "/ui/workers"]) {
    const answer = await fetch(broker.url + path);
    expect(answer.status, path).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    expect(await answer.text()).toBe(page);
  }
  const etag = (await fetch(broker.url)).headers.get("etag") ?? "";
  expect((await fetch(broker.url, { headers: { "if-none-match": etag } })).status).toBe(304);
});

test("files are named after their content, and kept by the browser", async () => {
  for (const [extension, type] of [
    [".js", "text/javascript; charset=utf-8"],
    [".css", "text/css; charset=utf-8"],
    [".svg", "image/svg+xml"],
  ] as const) {
    const answer = await fetch(broker.url + asset(extension));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(answer.headers.get("content-encoding")).toBe("gzip");
  }
  const plain = await fetch(broker.url + asset(".css"), { headers: { "accept-encoding": "identity" } });
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(await plain.text()).toBe(readFileSync(`${FOLDER}${asset(".css").slice(4)}`, "utf8"));
});

test("nothing but these files is served", async () => {
  for (const path of [
    "/ui/assets/",
    "/ui/assets/../index.html",
    "/ui/assets/%2e%2e/index.html",
    "/ui/assets/none.js",
    "/ui/none",
    "/index.html",
  ]) {
    const answer = await fetch(broker.url + path);
    // The client itself takes dots out of a path before it asks.
    expect(answer.status, path).toBe(404);
  }
  expect((await fetch(broker.url, { method: "POST" })).status).toBe(405);
});

test("it tells where gRPC is served, for the commands to copy", async () => {
  const { grpc } = (await (await fetch(`${broker.url}/ui/config.json`)).json()) as {
    grpc: { host: string; port: number };
  };

  expect(`${grpc.host}:${grpc.port}`).toBe(broker.address);
});
