import { sendJson } from "./answer.ts";
import type { Routes } from "./router.ts";

/** Whether this broker should be sent work, and why not. */
export class Readiness {
  #isAvailable = true;
  #isDraining = false;

  /** Whether its store can be reached. */
  setAvailable(isAvailable: boolean): void {
    this.#isAvailable = isAvailable;
  }

  /** It stops; there is no way back. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Undefined when it is ready. */
  get obstacle(): string | undefined {
    if (this.#isDraining) return "this broker is stopping";
    return this.#isAvailable ? undefined : "the store cannot be reached";
  }
}

export function healthRoutes(readiness: Readiness): Routes {
  return {
    "/healthz": { method: "GET", handle: (_request, response) => sendJson(response, { status: "alive" }) },
    "/readyz": {
      method: "GET",
      handle: (_request, response) => {
        const reason = readiness.obstacle;
        if (reason === undefined) sendJson(response, { status: "ready" });
        else sendJson(response, { status: "not ready", reason }, 503);
      },
    },
  };
}
