#!/usr/bin/env node
/** The broker as a process: settings, signals, exit code. */
import { createApp } from "./app.ts";
import { ConfigError, loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { addressText } from "./lib/address.ts";
import { createLogger } from "./observe/logger.ts";
import { openStore } from "./store/open.ts";
import { warmUp } from "./warm-up.ts";

const config = readConfig();
const logger = createLogger(config.logLevel, process.stdout.isTTY);
const app = createApp(config, openStore(config, logger), logger);

function readConfig(): Config {
  try {
    return loadConfig(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

// A broker in an unknown state must not go on: its leases are given away, and whoever started it starts another.
process.on("uncaughtException", (err) => {
  logger.fatal({ err }, "a bug: the broker stops at once");
  process.exit(70);
});

let signals = 0;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    if (++signals > 1) process.exit(1);
    logger.info({ signal, drainMs: config.drainMs }, "broker stopping; again to leave at once");
    app.stop().then(
      () => {
        logger.info("broker stopped");
        process.exit(0);
      },
      (err) => {
        logger.error({ err }, "stopping failed");
        process.exit(1);
      },
    );
  });
}

try {
  if (config.warmUp) await warmUp(logger);
  const { grpcPort, httpPort } = await app.start();
  const grpc = addressText(config.grpcListen.host, grpcPort);
  const http = config.httpListen === "off" ? "off" : addressText(config.httpListen.host, httpPort ?? 0);
  logger.info({ grpc, http, pid: process.pid }, "broker ready");
} catch (err) {
  logger.fatal({ err }, "the broker cannot start");
  process.exit(1);
}
