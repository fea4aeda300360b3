/** Waits without sleeping for luck: the condition is asked again every few milliseconds, up to a deadline. */
import { setTimeout as sleep } from "node:timers/promises";

export interface UntilOptions {
  /** @defaultValue 10,000 */
  readonly withinMs?: number;
  /** @defaultValue 5 */
  readonly everyMs?: number;
}

/**
 * Resolves with the first answer of `condition` that is neither undefined nor false.
 * Throws after the deadline, naming what was awaited and what went wrong last.
 */
export async function until<T>(
  what: string | (() => string),
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 10_000, everyMs = 5 }: UntilOptions = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) {
      throw new Error(`waited ${withinMs} ms in vain until ${typeof what === "string" ? what : what()}`);
    }
    await sleep(everyMs);
  }
}

/** Resolves once `attempt` does not throw; after the deadline, throws what it threw last. */
export async function untilWorks<T>(what: string, attempt: () => Promise<T>, options: UntilOptions = {}): Promise<T> {
  let lastError: unknown;
  const tried = async () => {
    try {
      return { value: await attempt() };
    } catch (error) {
      lastError = error;
      return undefined;
    }
  };
  return (await until(() => `${what}: ${String(lastError)}`, tried, options)).value;
}
