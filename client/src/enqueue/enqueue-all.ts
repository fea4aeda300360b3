import { setImmediate } from "node:timers/promises";
import { onAbort } from "../abort.ts";
import type { Enqueued } from "../enqueued.ts";
import { InvalidTask } from "../errors.ts";
import type { NewTask } from "../new-task.ts";
import type { CompleteCallOptions } from "../options.ts";
import { aborted, type Caller } from "./caller.ts";
import { MAX_FRAME_TASKS } from "./frame.ts";
import { Gathering } from "./gathering.ts";
import type { Producer } from "./producer.ts";
import { taskParts } from "./task-bytes.ts";

/** Enqueues tasks as fast as there is room for them; resolves when all are answered. */
export async function enqueueAll(
  producer: Producer,
  tasks: Iterable<NewTask> | AsyncIterable<NewTask>,
  { deadlineMs, signal }: CompleteCallOptions,
): Promise<Enqueued[]> {
  if (signal?.aborted) throw aborted(signal, "none");
  const deadlineAt = performance.now() + deadlineMs;
  const gathering = new Gathering({ deadlineAt, deadlineMs });
  const onAborted = () => {
    if (signal) gathering.abort(signal);
    producer.room.wake();
  };
  if (signal) onAbort(signal, onAborted);
  try {
    let taken = 0;
    for await (const task of tasks) {
      while (!producer.room.isFree && !gathering.hopeless && performance.now() < deadlineAt) {
        await producer.roomOrSweep(deadlineAt);
      }
      if (gathering.hopeless) break;
      enqueueOne(producer, task, gathering.caller());
      // Frames leave between ticks: a long input must not keep them.
      if (++taken % MAX_FRAME_TASKS === 0) await setImmediate();
    }
    return await gathering.all();
  } finally {
    signal?.removeEventListener("abort", onAborted);
  }
}

function enqueueOne(producer: Producer, task: NewTask, caller: Caller): void {
  try {
    producer.enqueue(taskParts(task.type, task.payload, task), caller);
  } catch (cause) {
    // One task that cannot be sent must not hide what became of the others.
    const message = cause instanceof Error ? cause.message : String(cause);
    caller.fail(new InvalidTask(message, [], { code: "INVALID_ARGUMENT", cause }));
  }
}
