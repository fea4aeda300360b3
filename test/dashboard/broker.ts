/** A broker with its HTTP door, in this process, and work for it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, createEmbeddedStore, createLogger, loadConfig } from "@taskwire/server/testing";
import { connect, type Rpc } from "../support/rpc.ts";
import { WireSession } from "../support/session.ts";

export interface DashboardBroker {
  /** Where the dashboard is. */
  readonly url: string;
  /** `host:port` of the gRPC door. */
  readonly address: string;
  readonly rpc: Rpc;
  /** A worker by hand. */
  readonly subscribe: (hello: Parameters<WireSession["hello"]>[0]) => WireSession;
  readonly stop: () => Promise<void>;
}

const logger = createLogger("silent", false);

/** @param ports where to listen, to come back where another broker was */
export async function startBroker(ports = { grpc: 0, http: 0 }): Promise<DashboardBroker> {
  const flags = [
    "--grpc-listen",
    `127.0.0.1:${ports.grpc}`,
    "--http-listen",
    `127.0.0.1:${ports.http}`,
    "--drain-ms",
    "0",
  ];
  const config = loadConfig(flags, {});
  const dir = await mkdtemp(join(tmpdir(), "taskwire-dashboard-"));
  const app = createApp(config, createEmbeddedStore({ ...config, dir, logger }), logger);
  const { grpcPort, httpPort } = await app.start();
  const address = `127.0.0.1:${grpcPort}`;
  const rpc = connect(address);
  const sessions: WireSession[] = [];
  return {
    url: `http://127.0.0.1:${httpPort}`,
    address,
    rpc,
    subscribe: (hello) => {
      const session = new WireSession(rpc.connection);
      sessions.push(session);
      session.hello(hello);
      return session;
    },
    stop: async () => {
      for (const session of sessions) session.cut();
      rpc.close();
      await app.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
