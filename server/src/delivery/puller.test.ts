import { expect, test } from "vitest";
import { createLogger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Puller } from "./puller.ts";
import { Settler } from "./settler.ts";

test("a pull whose caller is gone before it begins opens no session", async () => {
  const logger = createLogger("silent", false);
  // Nothing is asked of it.
  const store = {} as Store;
  const dispatcher = new Dispatcher({ store, logger, settler: new Settler(store, logger), maxSessions: 1, maxLost: 0 });
  const gone = AbortSignal.abort(new Error("gone"));

  const pulling = new Puller(dispatcher, logger).pull({
    workerId: "w",
    queues: ["q"],
    maxTasks: 1,
    maxBytes: 1,
    waitMs: 60_000,
    signal: gone,
  });

  await expect(pulling).rejects.toThrow("gone");
  expect(dispatcher.sessions.size).toBe(0);
});
