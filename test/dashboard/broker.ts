/** A broker with its HTTP door, in this process, and work for it. */
import { type Config, createApp, createLogger, loadConfig, type Store } from "@taskwire/server/testing";
import { MemoryStore } from "../store/memory-store.ts";
import { MemoryWorld } from "../store/memory-world.ts";
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

/** To run on another store, open it here. */
function openStore(config: Config): Store {
  return new MemoryStore(new MemoryWorld(), config);
}

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
  const app = createApp(config, openStore(config), logger);
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
    },
  };
}
