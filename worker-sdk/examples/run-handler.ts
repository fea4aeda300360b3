/**
 * Runs a handler without a broker, as its tests do.
 *
 *     node --import tsx worker-sdk/examples/run-handler.ts
 */
import { runHandler } from "@taskwire/worker/testing";
import { emailHandler } from "./handlers/email.ts";

const noLuck = () => 0;
const run = await runHandler(emailHandler(noLuck), { type: "email", payload: { to: "user@example.com" } });

// retry: SMTP server temporarily unavailable
console.log(`${run.outcome}: ${run.error instanceof Error ? run.error.message : "no error"}`);
