/** A TCP proxy on the loopback whose connections can be reset. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  /** host:port to connect to instead. */
  readonly address: string;
  /** Breaks all connections that are open now. */
  reset(): void;
  close(): Promise<void>;
}

export async function startProxy(toAddress: string): Promise<Proxy> {
  const { hostname, port } = new URL(`tcp://${toAddress}`);
  const sockets = new Set<Socket>();
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      // The other side hears of it as a reset, too.
      socket.on("error", () => undefined);
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    address: `127.0.0.1:${address.port}`,
    reset,
    close: async () => {
      reset();
      server.close();
      await once(server, "close");
    },
  };
}
