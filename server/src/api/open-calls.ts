import { draining, type TaskwireError } from "../domain/errors.ts";

/**
 * The calls of one door that are under way. A stopping broker waits for them, and some would never end by themselves: a
 * stream that its client keeps open, a caller that waits for a task.
 */
export class OpenCalls {
  readonly #enders = new Set<(error: TaskwireError) => void>();

  /** `end` is called when the server stops before the returned function is. Its error says that the call had no effect. */
  add(end: (error: TaskwireError) => void): () => void {
    this.#enders.add(end);
    return () => this.#enders.delete(end);
  }

  endAll(): void {
    const error = draining("call another one", 100);
    for (const end of [...this.#enders]) end(error);
    this.#enders.clear();
  }
}
