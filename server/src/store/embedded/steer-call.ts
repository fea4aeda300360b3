/** One call of `steer`. */
import type { QueuePolicy } from "../store.ts";
import type { Call } from "./journal.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { changeSteering } from "./steering.ts";
import type { Turn } from "./turn.ts";

export interface SteerRequest {
  readonly queue: Queue;
  readonly change: Partial<QueuePolicy>;
  readonly resolve: (answer: QueuePolicy) => void;
  readonly reject: (error: unknown) => void;
}

export class SteerCall implements Call {
  readonly grows = false;
  readonly canWait = false;
  readonly #parts: EmbeddedParts;
  readonly #request: SteerRequest;
  #policy: QueuePolicy;

  constructor(parts: EmbeddedParts, request: SteerRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#policy = request.queue.steering.policy;
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    const { queue, change } = this.#request;
    this.#parts.registry.register(queue, turn);
    const changed = changeSteering(queue.steering, change);
    this.#policy = changed.policy;
    if (changed !== queue.steering) turn.steer(queue, changed);
  }

  publish(): void {
    const { queue, resolve } = this.#request;
    this.#parts.registry.publish(queue);
    const wasPaused = queue.isPaused;
    queue.isPaused = this.#policy.paused;
    if (wasPaused && !queue.isPaused) this.#parts.events.ready(queue.name);
    resolve(this.#policy);
  }

  fail(error: unknown): void {
    this.#parts.registry.forgetUnused(this.queue);
    this.#request.reject(error);
  }
}
