import {
  type ClientDuplexStream,
  connectivityState as ConnectivityState,
  Client as RawClient,
  ChannelCredentials as RawCredentials,
} from "@grpc/grpc-js";
import {
  type Channel,
  ChannelCredentials,
  type Client,
  type CompatServiceDefinition,
  createChannel,
  createClient,
} from "nice-grpc";

/** How to reach one broker. */
export interface ConnectionOptions {
  /** `host:port` of a broker. */
  readonly address: string;
}

/** One channel to one broker. It connects when it is told to or at the first call, and again whenever it has to. */
export class Connection {
  readonly address: string;
  readonly #channel: Channel;
  readonly #leftListeners = new Set<() => void>();
  #isWatched = false;

  constructor({ address }: ConnectionOptions) {
    this.address = parseAddress(address);
    this.#channel = createChannel(this.address, ChannelCredentials.createInsecure(), {
      // Each connection has a TCP connection of its own: a busy worker stream must not slow an enqueue.
      "grpc.use_local_subchannel_pool": 1,
      // A request that was sent is never repeated behind our back: the callers decide what is safe to repeat.
      "grpc.enable_retries": 0,
      // Most outages are a restart: a broker that is back is found within a second or so. grpc-js adds jitter.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.min_reconnect_backoff_ms": 5_000,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.max_receive_message_length": 16 * 1024 * 1024,
      "grpc-node.flow_control_window": 1024 * 1024,
      "grpc.enable_channelz": 0,
    });
  }

  /** Begins to connect, so that the first call need not. A process may end before it has. */
  connect(): void {
    this.#channel.getConnectivityState(true);
  }

  /** A client for one service over this channel. */
  client<Service extends CompatServiceDefinition>(service: Service): Client<Service> {
    return createClient(service, this.#channel);
  }

  /**
   * A bidi stream of messages that are encoded already. For the streams that carry thousands of tasks a second: the async
   * iterators of nice-grpc cost several promises for each message, and its encoders copy it twice more.
   */
  openStream(path: string): ClientDuplexStream<Buffer, Buffer> {
    // The credentials are those of the channel; the client wants some, but does not look at them.
    const client = new RawClient(this.address, RawCredentials.createInsecure(), { channelOverride: this.#channel });
    return client.makeBidiStreamRequest(path, asItIs, asItIs);
  }

  /**
   * Calls the listener, once, when the connection in use or the one that comes next is lost or to be left: a broker that
   * stops says so (GOAWAY), but goes on to serve the calls that it has, and waits for them to end.
   * @returns a function that takes the listener away
   */
  onLeft(listener: () => void): () => void {
    this.#leftListeners.add(listener);
    if (!this.#isWatched) this.#watch("not ready");
    return () => this.#leftListeners.delete(listener);
  }

  /** Waits for the channel to become ready, and then for the end of that. */
  #watch(former: "not ready" | "ready"): void {
    const state = this.#channel.getConnectivityState(false);
    const isReady = state === ConnectivityState.READY;
    this.#isWatched = former === "not ready" || isReady;
    if (!this.#isWatched) {
      const listeners = [...this.#leftListeners];
      this.#leftListeners.clear();
      for (const listener of listeners) listener();
    } else if (state !== ConnectivityState.SHUTDOWN) {
      const next = () => this.#watch(isReady ? "ready" : "not ready");
      this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, next);
    }
  }

  /** Ends all calls with CANCELLED and closes the channel. */
  close(): void {
    this.#channel.close();
  }
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

/** Checks an address; throws a TypeError that names it when it is not `host:port`. */
export function parseAddress(address: string): string {
  // What the types do not allow, an unset variable brings all the same.
  if (!address) throw new TypeError("address is missing: it must be host:port, such as 127.0.0.1:50051");
  const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(address);
  if (!match || Number(match[2]) > 65_535)
    throw new TypeError(`address ${JSON.stringify(address)} must be host:port, such as 127.0.0.1:50051`);
  return address;
}
