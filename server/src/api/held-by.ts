import { leasedKey } from "../domain/lease.ts";
import type { TaskSnapshot } from "../store/store.ts";
import type { Broker } from "./broker.ts";
import type { HeldBy } from "./present/task.ts";

/** Who holds those of these tasks that are active and were handed out by this broker. */
export function findHolders({ dispatcher }: Broker, tasks: readonly TaskSnapshot[]): ReadonlyMap<TaskSnapshot, HeldBy> {
  const wanted = new Map<string, TaskSnapshot>();
  for (const task of tasks) if (task.state === "active") wanted.set(nameOf(task.queue, task.key), task);
  const found = new Map<TaskSnapshot, HeldBy>();
  if (wanted.size === 0) return found;
  for (const session of dispatcher.sessions) {
    for (const { of, index, progress, deliveredAtMs } of session.held) {
      const task = wanted.get(nameOf(of.lease.queue, leasedKey(of.lease, index)));
      if (!task) continue;
      const { percent, detail } = progress ?? { percent: 0, detail: new Uint8Array() };
      found.set(task, { workerId: session.profile.workerId, deliveredAtMs, percent, detail });
      if (found.size === wanted.size) return found;
    }
  }
  return found;
}

/** A task of any queue. */
function nameOf(queue: string, key: string): string {
  return `${queue}/${key}`;
}
