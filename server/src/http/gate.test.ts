import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { Gate } from "./gate.ts";

/** Why a request with these headers is not let in. */
function refusal(gate: Gate, headers: IncomingMessage["headers"]): string | undefined {
  // The gate looks at nothing else.
  return gate.refusal({ headers } as IncomingMessage)?.rawMessage;
}

describe("by the name of its host a request is", () => {
  const gate = new Gate("10.0.0.7", ["Tasks.example", "[fd00::1]"]);

  test.for([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1:80",
    "127.1.2.3",
    "[::1]:8080",
    "10.0.0.7:8080",
    "tasks.example",
    "TASKS.EXAMPLE:443",
    "[fd00::1]:80",
  ])("let in: %s", (host) => {
    expect(refusal(gate, { host })).toBeUndefined();
  });

  test.for([
    undefined,
    "",
    ":8080",
    "evil.example",
    "evil.tasks.example",
    "tasks.example.evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "localhost:80@evil.example",
    "localhost:",
    "localhost.",
    "127.evil.example",
    "10.0.0.8",
    "[::2]",
    "::1",
    "0.0.0.0",
  ])("refused: %j", (host) => {
    expect(refusal(gate, { host })).toContain("TASKWIRE_HTTP_ALLOWED_HOSTS");
  });
});

test("a broker that listens on every address may be called by any address, and by no name", () => {
  const gate = new Gate("0.0.0.0", []);

  expect(refusal(gate, { host: "10.0.0.8:8080" })).toBeUndefined();
  expect(refusal(gate, { host: "[fd00::2]:8080" })).toBeUndefined();
  expect(refusal(gate, { host: "evil.example:8080" })).toContain("evil.example");
});

test("what a page sent is let in from our own pages alone", () => {
  const gate = new Gate("127.0.0.1", []);
  const host = "localhost:8080";

  for (const origin of ["http://localhost:8080", "https://localhost:8080", "HTTP://LOCALHOST:8080"])
    expect(refusal(gate, { host, origin }), origin).toBeUndefined();
  for (const origin of ["http://localhost", "http://localhost:3000", "http://127.0.0.1:8080", "null", "", "file://"])
    expect(refusal(gate, { host, origin }), origin).toContain("a page of");
});

test("what a page of another site embeds is refused; a link is followed", () => {
  const gate = new Gate("127.0.0.1", []);
  const from = (site: string, mode: string) =>
    refusal(gate, { host: "localhost", "sec-fetch-site": site, "sec-fetch-mode": mode });

  expect(from("cross-site", "no-cors")).toContain("another site");
  expect(from("same-site", "cors")).toContain("another site");
  expect(from("cross-site", "navigate")).toBeUndefined();
  expect(from("same-origin", "cors")).toBeUndefined();
  expect(from("none", "navigate")).toBeUndefined();
});
