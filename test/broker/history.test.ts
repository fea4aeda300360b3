/** What is kept of the last hour, and how long tasks took, as operators ask for it. */
import type { Moment } from "@taskwire/proto";
import { describe, expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany } from "./tasks.ts";

/** Samples are put every 5 s, and read at most this often. */
const SEEN = { withinMs: 18_000, everyMs: 250 };

onEachStore((test) => {
  test("tells how long tasks waited and ran, and where they are kept", async ({ rpc, queue, subscribe }) => {
    const session = subscribe();
    await enqueueMany(rpc, queue, 5);
    const tags = (await session.untilDelivered(5)).map(({ tag }) => tag);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await session.settle({ ackTags: tags });

    const stats = await until("they are counted", async () => {
      const { stats } = await rpc.stats.getStats({});
      return (stats?.run?.count ?? 0) >= 5 && (stats?.wait?.count ?? 0) >= 5 && stats;
    });

    expect(millis(stats.run?.p99)).toBeGreaterThan(280);
    expect(millis(stats.run?.p99)).toBeLessThan(5_000);
    expect(millis(stats.wait?.p50)).toBeLessThan(5_000);
    expect(stats.store?.description).not.toBe("");
    expect(["async", "fsync"]).toContain(stats.store?.durability);
    expect(stats.store?.bytes).toBeGreaterThan(0);
  });

  test("keeps the last hour, a moment for each 10 s", async ({ rpc, queue, subscribe }) => {
    const session = subscribe();
    await enqueueMany(rpc, queue, 3);
    await session.settle({ ackTags: (await session.untilDelivered(3)).map(({ tag }) => tag) });

    const moment = await until(
      "a moment has them",
      () => lastMoment(rpc, (last) => (last.total?.completed ?? 0) >= 3),
      SEEN,
    );

    expect(moment.run?.count).toBeGreaterThan(0);
    expect(Math.abs((moment.time?.seconds ?? 0) - Date.now() / 1_000)).toBeLessThan(30);
    const { moments } = await rpc.stats.getHistory({});
    const times = moments.map(({ time }) => time?.seconds ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

onStore("redis", (test) => {
  describe("with several brokers", () => {
    test("one that starts knows what others kept, and all are in the last minute", async ({
      rpc,
      queue,
      subscribe,
      startOther,
      connectTo,
    }) => {
      const session = subscribe();
      await enqueueMany(rpc, queue, 4);
      await session.settle({ ackTags: (await session.untilDelivered(4)).map(({ tag }) => tag) });
      await until("it is kept", () => lastMoment(rpc, (last) => (last.total?.completed ?? 0) >= 4), SEEN);

      const other = connectTo(await startOther());

      const { moments } = await other.rpc.stats.getHistory({});
      expect(moments.at(-1)?.total?.completed).toBeGreaterThanOrEqual(4);
      const { stats } = await other.rpc.stats.getStats({});
      expect(stats?.run?.count).toBeGreaterThanOrEqual(4);
    });
  });
});

async function lastMoment(rpc: Rpc, accepts: (moment: Moment) => boolean): Promise<Moment | undefined> {
  const last = (await rpc.stats.getHistory({})).moments.at(-1);
  return last && accepts(last) ? last : undefined;
}

function millis(duration: { readonly seconds: number; readonly nanos: number } | undefined): number {
  return (duration?.seconds ?? 0) * 1_000 + (duration?.nanos ?? 0) / 1e6;
}
