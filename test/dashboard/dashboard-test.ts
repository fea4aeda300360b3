// What runs in the page knows the page.
/// <reference lib="dom" />
/** The fixtures of the tests of the dashboard: a loaded broker, and a page that must stay clean. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { findChromium } from "../support/chromium.ts";
import { type DashboardBroker, startBroker } from "./broker.ts";
import { type Loaded, load } from "./load.ts";

export interface DashboardFixtures {
  readonly broker: DashboardBroker;
  readonly loaded: Loaded;
  /** Opens a page of the dashboard. It must not say anything on the console, and ask no other host. */
  readonly open: (path: string, options?: PageOptions) => Promise<Page>;
}

export interface PageOptions {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  /** The broker is expected to be away for a while, which a browser says on the console. */
  readonly mayFail?: boolean;
}

export type DashboardTest = ReturnType<typeof dashboardTest>;

const executablePath = findChromium();

/** The broker is shared by the tests of a file, which run in their order. */
export function inBrowser(define: (test: DashboardTest) => void): void {
  describe.skipIf(!executablePath)("in Chromium", () => define(dashboardTest()));
}

function dashboardTest() {
  let browser: Browser;
  let broker: DashboardBroker;
  let loaded: Loaded;

  beforeAll(async () => {
    if (!executablePath) return;
    broker = await startBroker();
    loaded = await load(broker);
    browser = await startBrowser(executablePath);
  });
  afterAll(async () => {
    await browser?.close();
    await broker?.stop();
  });

  return test.extend<DashboardFixtures>({
    broker: async ({}, use) => use(broker),
    loaded: async ({}, use) => use(loaded),
    open: async ({}, use) => {
      const problems: string[] = [];
      const pages: Page[] = [];
      await use(async (path, options = {}) => {
        const page = await openPage(browser, broker.url, options, problems);
        pages.push(page);
        await page.goto(broker.url + path);
        await page.locator("h1").waitFor();
        return page;
      });
      for (const page of pages) {
        const hacked = await page.evaluate(() => "hacked" in window);
        if (hacked) problems.push("markup became HTML");
        await page.context().close();
      }
      expect(problems).toEqual([]);
    },
  });
}

async function openPage(browser: Browser, url: string, options: PageOptions, problems: string[]): Promise<Page> {
  const { colorScheme = "light", width = 1_280, mayFail = false } = options;
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("console", (message) => {
    if (mayFail || message.type() === "log") return;
    problems.push(`${message.type()}: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) problems.push(`asked ${request.url()}`);
  });
  return page;
}
