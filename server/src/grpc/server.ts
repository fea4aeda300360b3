import { Server, ServerCredentials } from "@grpc/grpc-js";
import { OpenCalls } from "../api/open-calls.ts";
import type { Service } from "../api/services.ts";
import { CannotStart } from "../domain/cannot-start.ts";
import { LIMITS } from "../domain/limits.ts";
import { addressText } from "../lib/address.ts";
import type { Logger } from "../observe/logger.ts";
import { adapt } from "./adapt.ts";
import { toServiceDefinition } from "./definitions.ts";
import { Health } from "./health.ts";
import { addReflection } from "./reflection.ts";

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  readonly maxPayloadBytes: number;
  readonly logger: Logger;
}

/** The gRPC door. A plain grpc-js server: hot messages pass through it as ready bytes. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health: Health;
  readonly #calls = new OpenCalls();
  readonly #options: GrpcOptions;
  /** Where it listens, once it does. */
  #address = "";

  constructor(services: readonly Service[], options: GrpcOptions) {
    this.#options = options;
    this.#server = new Server({
      "grpc.max_receive_message_length": options.maxPayloadBytes + LIMITS.messageOverheadBytes,
      "grpc.max_concurrent_streams": 1_000,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.max_connection_idle_ms": 600_000,
      "grpc.enable_channelz": 0,
    });
    for (const service of services) this.#add(service);
    const names = services.map(({ definition }) => definition.fullName);
    this.#health = new Health(names);
    this.#health.addTo(this.#server);
    addReflection(this.#server, [...names, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]);
  }

  #add({ definition, rpcs }: Service): void {
    const adapting = { logger: this.#options.logger, calls: this.#calls };
    const entries = Object.entries(definition.methods).map(([key, method]) => {
      const rpc = rpcs[key];
      if (!rpc) throw new Error(`there is no handler for ${definition.fullName}/${method.name}`);
      return [key, adapt(rpc, method, adapting)] as const;
    });
    this.#server.addService(toServiceDefinition(definition, "bytes"), Object.fromEntries(entries));
  }

  /** Listens; resolves with the port. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    const address = addressText(host, port);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error)
          reject(
            new CannotStart(
              `cannot listen on ${address}: ${reasonOf(error)}; is another broker running there? TASKWIRE_GRPC_LISTEN sets another address`,
              { cause: error },
            ),
          );
        else {
          this.#address = addressText(host, bound);
          resolve(bound);
        }
      });
    });
  }

  setServing(serving: boolean): void {
    this.#health.set(serving);
  }

  /** Takes no new calls, gives those under way `graceMs` to end by themselves, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.#health.close();
    const ending = setTimeout(() => this.#calls.endAll(), graceMs);
    // A client that does not even take the end of its calls must not hold the broker up. (forceShutdown would not do: without
    // channelz, grpc-js does not know there which connections it has.)
    if (this.#address !== "") this.#server.drain(this.#address, 2 * graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(ending);
  }
}

/** grpc-js says how many addresses it tried, and in brackets what was wrong with them. */
function reasonOf({ message }: Error): string {
  return /errors: \[(.*)\]$/.exec(message)?.[1] ?? message;
}
