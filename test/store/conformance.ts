/**
 * Every store keeps every promise of the port: each suite, on each backend. A backend has a file of its own, conformance-*.test.ts, so
 * that they run side by side. A new promise is a test in the suite of its verb.
 */
import { afterAll, describe, test } from "vitest";
import type { Backend } from "./backend.ts";
import { storeTest } from "./store-test.ts";
import { attemptsSuite } from "./suites/attempts.ts";
import { brokersSuite } from "./suites/brokers.ts";
import { cancelSuite } from "./suites/cancel.ts";
import { cancelActiveSuite } from "./suites/cancel-active.ts";
import { cancelledSuite } from "./suites/cancelled.ts";
import { claimSuite } from "./suites/claim.ts";
import { deadCapSuite } from "./suites/dead-cap.ts";
import { enqueueSuite } from "./suites/enqueue.ts";
import { failuresSuite } from "./suites/failures.ts";
import { findSuite } from "./suites/find.ts";
import { goOnSuite } from "./suites/go-on.ts";
import { listSuite } from "./suites/list.ts";
import { listChangingSuite } from "./suites/list-changing.ts";
import { listPagesSuite } from "./suites/list-pages.ts";
import { oldResultsSuite } from "./suites/old-results.ts";
import { oldestSuite } from "./suites/oldest.ts";
import { outageSuite } from "./suites/outage.ts";
import { positionSuite } from "./suites/position.ts";
import { rateSuite } from "./suites/rate.ts";
import { reopenSuite } from "./suites/reopen.ts";
import { reviveSuite } from "./suites/revive.ts";
import { samplesSuite } from "./suites/samples.ts";
import { settleSuite } from "./suites/settle.ts";
import { statsSuite } from "./suites/stats.ts";
import { steerSuite } from "./suites/steer.ts";
import { untilEndedSuite } from "./suites/until-ended.ts";
import { workersSuite } from "./suites/workers.ts";

const suites = [
  enqueueSuite,
  claimSuite,
  settleSuite,
  goOnSuite,
  findSuite,
  attemptsSuite,
  untilEndedSuite,
  cancelSuite,
  cancelledSuite,
  cancelActiveSuite,
  reviveSuite,
  failuresSuite,
  deadCapSuite,
  listSuite,
  listPagesSuite,
  positionSuite,
  listChangingSuite,
  steerSuite,
  rateSuite,
  statsSuite,
  oldestSuite,
  brokersSuite,
  workersSuite,
  samplesSuite,
  oldResultsSuite,
  reopenSuite,
  outageSuite,
];

export async function conform(backend: Backend): Promise<void> {
  const isAvailable = await backend.available();
  describe(`the ${backend.name} store`, () => {
    if (!isAvailable && process.env["CI"] !== "true") {
      test.skip("needs a redis-server, which is not installed");
      return;
    }
    afterAll(() => backend.close());
    for (const suite of suites) suite(storeTest(backend), backend);
  });
}
