/** Pretends to send an email: takes 100 to 500 ms, and fails once in twenty times. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "@taskwire/worker";

export interface EmailPayload {
  readonly to?: string;
  readonly subject?: string;
}

const FAILURE_RATE = 0.05;

/** `random` draws how long it takes and whether it fails, from 0 to 1. */
export function emailHandler(random: () => number = Math.random): Handler<EmailPayload> {
  return async (task, ctx) => {
    const { to, subject = "" } = task.payload;
    if (!to) throw new Error("missing 'to' field in email task");

    // The signal ends the wait when the task is taken away: there is no use in going on.
    await sleep(100 + random() * 400, undefined, { signal: ctx.signal });

    if (random() < FAILURE_RATE) throw new Error("SMTP server temporarily unavailable");
    ctx.log.debug({ subject }, "email sent");
    return { to, sentAt: new Date().toISOString() };
  };
}
