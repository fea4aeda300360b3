import { expect, test } from "vitest";
import { addressText, isLoopback } from "./address.ts";

test.for(["localhost", "127.0.0.1", "127.255.0.3", "::1"])("%s is this machine", (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.for(["0.0.0.0", "::", "10.0.0.1", "127.example.com", "127.0.0.1.example.com", "localhost.example.com", ""])(
  "%j may be another machine",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);

test("an IPv6 address stands in brackets before its port", () => {
  expect(addressText("::1", 80)).toBe("[::1]:80");
  expect(addressText("localhost", 80)).toBe("localhost:80");
});
