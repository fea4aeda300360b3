/** A TCP proxy that can go wrong as networks do. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface FaultyProxy {
  readonly address: string;
  /** Holds back what goes to the broker, or what comes from it; both sides still believe in the connection. */
  hold(direction: "to broker" | "from broker"): void;
  /** Resets all connections; what was held back is lost. New connections are in order. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on a free port for connections to `host:port`. */
export async function startProxy(target: string): Promise<FaultyProxy> {
  const [host = "", port = ""] = target.split(":");
  const pairs = new Set<{ readonly client: Socket; readonly broker: Socket }>();
  const server = createServer((client) => {
    const pair = { client, broker: connect(Number(port), host) };
    pairs.add(pair);
    const { broker } = pair;
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      from.setNoDelay(true);
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const cut = () => {
    for (const { client, broker } of pairs) for (const socket of [client, broker]) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${address.port}`,
    hold: (direction) => {
      for (const { client, broker } of pairs) (direction === "to broker" ? client : broker).pause();
    },
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
