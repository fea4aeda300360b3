import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { onSignals } from "./shutdown.ts";

describe("onSignals", () => {
  it("stops at the first signal, leaves at the second with the code of a shell, and hears no more afterwards", () => {
    const process = new EventEmitter();
    const calls: unknown[] = [];
    const end = onSignals(process, { stop: (signal) => calls.push(signal), leave: (exitCode) => calls.push(exitCode) });

    process.emit("SIGTERM");
    process.emit("SIGINT");
    process.emit("SIGINT");
    end();
    process.emit("SIGTERM");

    expect(calls).toEqual(["SIGTERM", 130]);
    expect(process.eventNames()).toEqual([]);
  });
});
