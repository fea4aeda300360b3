/** Dead tasks by the thousand. */
import { Nack_Action } from "@taskwire/proto";
import type { Rpc } from "../support/rpc.ts";
import { WireSession } from "../support/session.ts";
import { until } from "../support/until.ts";
import { countersOf } from "./audit.ts";

/** Delivers what is ready, and buries all of it; resolves once `count` tasks are dead. */
export async function buryAll(rpc: Rpc, queue: string, count: number): Promise<void> {
  const session = new WireSession(rpc.connection);
  const window = { maxInFlight: count, maxInFlightBytes: 2 ** 24 };
  session.hello({ workerId: "undertaker", queues: [{ queue }], window });
  const held = await session.untilDelivered(count);
  const value = { action: Nack_Action.DEAD_LETTER, errorType: "Error", errorMessage: "no", errorStack: "" };
  const result = { $case: "nack", value: { ...value, retryDelay: undefined } } as const;
  await session.settle({ outcomes: held.map(({ tag }) => ({ tag, result })) });
  await until(`${count} tasks are dead`, async () => (await countersOf(rpc, queue))?.dead === count);
  session.close();
  await session.ended();
}
