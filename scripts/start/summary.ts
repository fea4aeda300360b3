/** What is said before the workload and after it. */

import type { Child } from "./child.ts";
import { color } from "./color.ts";
import type { Addresses } from "./options.ts";
import { type Progress, WORKLOAD_TASKS } from "./progress.ts";

export type Verdict = { readonly kind: "good" } | { readonly kind: "bad"; readonly reason: string };

export const INTRODUCTION = `Starting a broker, a worker with 5 slots, and a producer of ${WORKLOAD_TASKS} tasks:
an email each tenth of a second, then images that are due later. Some attempts
fail on purpose, and are tried again after 1, 4 and 9 s.`;

export function dashboardLine({ http }: Addresses): string {
  return `\nThe dashboard, which shows the same and more in a browser: ${color.bold(`http://${http}/`)}`;
}

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

export function whatNext({ grpc, http }: Addresses): string {
  const enqueue = (json: string) =>
    `  grpcurl -plaintext -d '{"type": "email", "json": ${json}}' \\\n    ${grpc} taskwire.v1.TaskService/Enqueue`;
  return `The broker is at ${color.bold(grpc)} for gRPC, and at ${color.bold(`http://${http}`)} for HTTP
and the dashboard. It and its worker stay until Ctrl-C. Try in another terminal:

  curl -H 'content-type: application/json' -d '{"type": "email", "json": {"to": "you@example.com"}}' \\
    http://${http}/taskwire.v1.TaskService/Enqueue
  curl http://${http}/stats
  grpcurl -plaintext ${grpc} describe taskwire.v1.TaskService
${enqueue('{"subject": "to nobody"}')}

The last one fails, is tried again after 1, 4 and 9 s, and then is dead: see
below, and the page Failures of the dashboard. Without grpcurl, the same 110 tasks once more:

  node --import tsx client/examples/producer.ts ${grpc}

What next: the tour in README.md, then client/examples and worker-sdk/examples.`;
}

/** Why a process ended that should not have, with the last that it said. */
export function postMortem({ name, lastLines }: Child, how: string): string {
  const said = lastLines.length > 0 ? `Its last lines:\n${lastLines.map((line) => `  ${line}`).join("\n")}` : "";
  return `the ${name} ${how}. ${said}`;
}
