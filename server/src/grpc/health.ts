import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { type HealthCheckRequest, type HealthCheckResponse, HealthDefinition } from "@taskwire/proto/health";
import { toServiceDefinition } from "./definitions.ts";

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** grpc.health.v1: all services serve, or none does. */
export class Health {
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  #serving = false;

  constructor(services: readonly string[]) {
    this.#services = new Set(["", ...services]);
  }

  set(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const watcher of this.#watchers) watcher.write({ status: this.#status() });
  }

  #status(): HealthCheckResponse["status"] {
    return this.#serving ? SERVING : NOT_SERVING;
  }

  addTo(server: Server): void {
    server.addService(toServiceDefinition(HealthDefinition), {
      check: (
        call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        callback: sendUnaryData<HealthCheckResponse>,
      ) => {
        const { service } = call.request;
        if (this.#services.has(service)) callback(null, { status: this.#status() });
        else callback({ code: status.NOT_FOUND, details: `no service ${JSON.stringify(service)}` });
      },
      watch: (call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>) => {
        const known = this.#services.has(call.request.service);
        call.write({ status: known ? this.#status() : SERVICE_UNKNOWN });
        if (!known) return;
        this.#watchers.add(call);
        call.on("cancelled", () => this.#watchers.delete(call));
      },
    });
  }

  /** Ends all watches, so that the server can close. */
  close(): void {
    this.set(false);
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }
}
