/**
 * Node compiles code when it is run: the first tasks of a new process would take twenty times as long as later ones. So a
 * broker practises before it serves, on a scratch store that is deleted afterwards.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "./app.ts";
import { loadConfig } from "./config/load.ts";
import { rehearse } from "./grpc/rehearsal.ts";
import { createLogger, type Logger } from "./observe/logger.ts";
import { openStore } from "./store/open.ts";

/** Never fails: a broker that could not practise serves as well, only slower at first. */
export async function warmUp(logger: Logger): Promise<void> {
  const startedAt = performance.now();
  try {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-warm-up-"));
    try {
      await practise(dir);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    logger.debug({ ms: Math.round(performance.now() - startedAt) }, "warmed up");
  } catch (err) {
    logger.warn({ err }, "no warm-up: the first tasks will take longer");
  }
}

async function practise(dir: string): Promise<void> {
  const config = loadConfig(
    ["--data-dir", dir, "--grpc-listen", "127.0.0.1:0", "--http-listen", "off", "--drain-ms", "0"],
    {},
  );
  const silent = createLogger("silent", false);
  const app = createApp(config, openStore(config, silent), silent);
  try {
    const { grpcPort } = await app.start();
    await rehearse(grpcPort);
  } finally {
    await app.stop();
  }
}
