// What runs in the page knows the page.
/// <reference lib="dom" />
/** How soon the dashboard shows something to who opens it for the first time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { Visitor } from "../../test/load/roles.ts";
import { startBrowser } from "../../test/support/browser.ts";
import { findChromium } from "../../test/support/chromium.ts";
import { percentilesOf } from "./figures.ts";
import { type Row, record, startCrew, withSystem } from "./row.ts";

const QUEUE = "viewed";
const TASKS_PER_SECOND = 200;

export const firstViewRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const executablePath = findChromium();
      if (!executablePath) throw new Error("Chromium is not on the path: apt-get install chromium");
      await startCrew(system, worker, { queue: QUEUE, expected: 0 });
      const visitor = await system.startVisitor();
      const pace = producer.ask.pace({ queue: QUEUE, count: Number.MAX_SAFE_INTEGER, perSecond: TASKS_PER_SECOND });
      const browser = await startBrowser(executablePath);
      try {
        await waitForHistory(visitor);
        const url = `http://${system.brokers[0]?.httpAddress}/`;
        const took: number[] = [];
        // The first one waits for the browser to start, too.
        await view(browser, url);
        while (took.length < bench.settings.sizes.views) took.push(await view(browser, url));
        const { p50, p99 } = percentilesOf(took);
        record(bench, { firstViewP50: p50, firstViewP99: p99 });
      } finally {
        await browser.close();
        await producer.ask.endPace();
        await pace;
      }
    }),
};

/** A line needs two points. */
async function waitForHistory(visitor: Visitor): Promise<void> {
  for (;;) {
    // The contract's answer, in JSON.
    const { moments = [] } = (await visitor.ask.call({ rpc: "StatsService/GetHistory", request: {} })) as {
      moments?: readonly unknown[];
    };
    if (moments.length > 2) return;
    await sleep(500);
  }
}

/** With nothing in a cache: from the navigation until the numbers, the chart and the queues have been drawn, in ms. */
async function view(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript(() => {
      const wanted = [".figure-value", ".panel canvas", "tbody tr"];
      const watcher = new MutationObserver(() => {
        if (!wanted.every((selector) => document.querySelector(selector))) return;
        watcher.disconnect();
        // The frame that shows them is drawn between the two.
        requestAnimationFrame(() => setTimeout(() => Object.assign(window, { drawnAtMs: performance.now() })));
      });
      watcher.observe(document, { childList: true, subtree: true });
    });
    await page.goto(url);
    const drawn = await page.waitForFunction(() => (window as { drawnAtMs?: number }).drawnAtMs);
    const ms = await drawn.jsonValue();
    if (ms === undefined) throw new Error("the page has drawn nothing");
    return ms;
  } finally {
    await context.close();
  }
}
