import type { TaskContext } from "./context.ts";
import type { Handler } from "./registry.ts";
import type { Task } from "./task.ts";

/**
 * Wraps every handler: for tracing, timing, or checks. `next()` runs the rest and resolves with its result; what is
 * returned here takes the result's place.
 *
 * @example
 * ```ts
 * worker.use(async (task, ctx, next) => {
 *   const startedAt = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     ctx.log.info({ ms: performance.now() - startedAt }, "task ended");
 *   }
 * });
 * ```
 */
export type Middleware = (task: Task, ctx: TaskContext, next: () => Promise<unknown>) => unknown;

/** A handler with middleware around it, the first one outermost. */
export function compose(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>(
    (inner, outer) => (task, ctx) => outer(task, ctx, async () => inner(task, ctx)),
    handler,
  );
}
