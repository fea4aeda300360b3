import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FakeBroker } from "./fake-broker.ts";
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

describe("a worker process", () => {
  it("that gets a second signal gives its tasks back at once and leaves with the code of a shell", async () => {
    const broker = await new FakeBroker().start();
    const example = fileURLToPath(new URL("../examples/graceful-shutdown.ts", import.meta.url));
    const args = ["--conditions=source", "--import", "tsx", example, broker.address];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    try {
      const session = await broker.session(1);
      session.deliver({ type: "report" });
      await session.until(() => session.all("progress").length > 0);

      child.kill("SIGTERM");
      await session.until(() => session.all("stopDelivery").length === 1);
      child.kill("SIGTERM");
      const [code] = await once(child, "exit");

      expect(code).toBe(143);
      expect(session.settled.get(1)).toEqual({ $case: "release", value: { delay: undefined } });
    } finally {
      child.kill("SIGKILL");
      broker.stop();
    }
  });

  it("that gets one signal finishes what it has and ends by itself with 0", async () => {
    const broker = await new FakeBroker().start();
    const example = fileURLToPath(new URL("../examples/consumer.ts", import.meta.url));
    const args = ["--conditions=source", "--import", "tsx", example, broker.address];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    try {
      const session = await broker.session(1);
      session.deliver({ type: "email", payload: Buffer.from("{}"), contentType: "application/json" });
      await session.untilSettled(1);

      child.kill("SIGINT");
      const [code] = await once(child, "exit");

      expect(code).toBe(0);
      expect(session.settled.get(1)?.value).toMatchObject({ errorMessage: "missing 'to' field in email task" });
      expect(session.hasEnded).toBe(true);
    } finally {
      child.kill("SIGKILL");
      broker.stop();
    }
  });
});
