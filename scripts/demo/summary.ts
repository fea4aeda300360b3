/** What is said when the workload has ended. */
import color from "picocolors";
import type { Child } from "./child.ts";
import { type Progress, WORKLOAD_TASKS } from "./progress.ts";

export type Verdict = { readonly kind: "good" } | { readonly kind: "bad"; readonly reason: string };

/** Whether each task came to its end, and each failed attempt was followed by another or ended its task. */
export function judge({ stats }: Progress): Verdict {
  if (!stats) return bad("the broker has not answered");
  const { enqueued, completed, failed, retried, dead, scheduled, ready, active } = stats.total;
  if (enqueued !== WORKLOAD_TASKS) return bad(`${enqueued} of ${WORKLOAD_TASKS} tasks were enqueued`);
  const open = scheduled + ready + active;
  if (open > 0) return bad(`${open} tasks have not ended`);
  if (completed + dead !== enqueued) return bad(`${enqueued - completed - dead} tasks are neither completed nor dead`);
  if (failed !== retried + dead)
    return bad(`of ${failed} failed attempts ${retried} were retried, with ${dead} tasks dead`);
  return { kind: "good" };
}

function bad(reason: string): Verdict {
  return { kind: "bad", reason };
}

/** @param ms how long it all took */
export function summarize({ stats }: Progress, ms: number): string {
  const { completed = 0, failed = 0, dead = 0, lost = 0 } = stats?.total ?? {};
  const parts = [color.green(`${completed} tasks completed`), failures(failed, dead)];
  if (dead > 0) parts.push(color.red(`${dead} dead, out of retries`));
  if (lost > 0) parts.push(`${lost} deliveries lost with their worker and made again`);
  return `${color.bold("All ended.")} ${parts.join("; ")}; ${(ms / 1_000).toFixed(1)} s.`;
}

function failures(failed: number, dead: number): string {
  if (failed === 0) return "no attempt failed";
  const attempts = `${failed} failed ${failed === 1 ? "attempt" : "attempts"}`;
  return dead === 0 ? `${attempts}, all retried` : `${attempts}, ${failed - dead} of them retried`;
}

export function whatNext(address: string): string {
  const call = `grpcurl -plaintext`;
  return `
The broker is at ${color.bold(address)}, plaintext, with reflection. It and the worker go on until Ctrl-C. Try:

  ${call} -d '{"type": "email", "json": {"to": "you@example.com"}}' ${address} taskwire.v1.TaskService/Enqueue
  ${call} -d '{"type": "email", "json": {"subject": "to nobody"}}' ${address} taskwire.v1.TaskService/Enqueue
  ${call} ${address} describe taskwire.v1.TaskService

The second one fails and is retried after 1, 4 and 9 s until it is dead. No grpcurl? In another terminal:
  node --import tsx client/examples/producer.ts ${address}

Next: README.md for the tour, client/examples and worker-sdk/examples for the code behind this.`;
}

/** Why a process ended that should not have, with the last that it said. */
export function postMortem({ name, lastLines }: Child, how: string): string {
  const said = lastLines.length > 0 ? `Its last lines:\n${lastLines.map((line) => `  ${line}`).join("\n")}` : "";
  return `the ${name} ${how}. ${said}`;
}
