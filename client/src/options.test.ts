import { expect, test } from "vitest";
import { type ClientOptions, completeClientOptions } from "./options.ts";

test("what is left out has its default, and an address that is given twice counts once", () => {
  expect(completeClientOptions({ address: "127.0.0.1:50051" })).toEqual({
    addresses: ["127.0.0.1:50051"],
    deadlineMs: 30_000,
    maxBufferedBytes: 67_108_864,
  });
  expect(completeClientOptions({ address: ["a:1", "b:2", "a:1"] }).addresses).toEqual(["a:1", "b:2"]);
});

test.each([
  ["address", { address: [] }],
  ["nonsense", { address: "nonsense" }],
  ["address is missing", { address: "" }],
  ["address is missing", { address: ["a:1", ""] }],
  ["address is missing", {} as ClientOptions],
  ["deadlineMs", { address: "a:1", deadlineMs: 0 }],
  ["deadlineMs", { address: "a:1", deadlineMs: Number.NaN }],
  ["maxBufferedBytes", { address: "a:1", maxBufferedBytes: -1 }],
])("an option that makes no sense is named: %s", (name, options) => {
  expect(() => completeClientOptions(options)).toThrow(TypeError);
  expect(() => completeClientOptions(options)).toThrow(name);
});
