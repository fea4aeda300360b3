import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { jitteredBackoffMs } from "./backoff.ts";
import { Connection, parseAddress } from "./connection.ts";

describe("an address", () => {
  test.each(["127.0.0.1:50051", "[::1]:1", "taskwire.example.org:65535"])("may be %s", (address) => {
    expect(parseAddress(address)).toBe(address);
  });

  test.each(["localhost", "localhost:", "http://localhost:1", "localhost:65536", "::1:50051", "a b:1"])(
    "may not be %j",
    (address) => {
      expect(() => parseAddress(address)).toThrow(JSON.stringify(address));
    },
  );
});

test("a backoff grows to its bound, is never below its minimum, and never overflows", () => {
  const bounds = { minMs: 50, maxMs: 2_000 };

  expect([1, 2, 3, 100_000].map((attempt) => jitteredBackoffMs(attempt, bounds, () => 1))).toEqual([
    100, 200, 400, 2_000,
  ]);
  expect(jitteredBackoffMs(100_000, bounds, () => 0)).toBe(50);
});

test("a connection can be made before the first call", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const connected = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  const connection = new Connection({ address: `127.0.0.1:${port}` });
  onTestFinished(() => connection.close());

  connection.connect();

  const [socket] = (await connected) as [Socket];
  socket.destroy();
});
