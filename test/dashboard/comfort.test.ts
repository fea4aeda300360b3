import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { inBrowser } from "./dashboard-test.ts";
import type { Loaded } from "./load.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const paths = ({ dead, ready }: Loaded) => [
  "/",
  "/ui/queues",
  "/ui/queues?queue=render",
  "/ui/tasks",
  "/ui/tasks?state=dead",
  "/ui/tasks?state=scheduled&queue=idle",
  `/ui/task?id=${dead[0]}`,
  `/ui/task?id=${ready}`,
  "/ui/failures",
  "/ui/workers",
];

/** Until what the page asks for has come. */
async function settled(page: Page): Promise<void> {
  await page.locator(".link.live").waitFor();
  await expect.poll(() => page.locator(".loading").count()).toBe(0);
}

inBrowser((test) => {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`every page is accessible, ${colorScheme}: contrast, names, roles, by WCAG 2.2 AA`, async ({
      open,
      loaded,
    }) => {
      const page = await open("/", { colorScheme });
      for (const path of paths(loaded)) {
        await page.goto(new URL(path, page.url()).href);
        await settled(page);

        // The policy of the page forbids scripts of others; the debugger may run them.
        const found = await page.evaluate(
          `${axe}; axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then(({ violations }) =>
            violations.map(({ id, nodes }) => id + ": " + nodes.map((node) => node.html).join(" ").slice(0, 400)))`,
        );
        expect(found, path).toEqual([]);
      }
    });
  }

  test("at the width of a phone no page scrolls sideways", async ({ open, loaded }) => {
    const page = await open("/", { width: 360 });
    for (const path of paths(loaded)) {
      await page.goto(new URL(path, page.url()).href);
      await settled(page);

      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBe(0);
    }
  });

  test("on a phone, what is paused is seen beside its button, and what came of it does not cover the pages", async ({
    open,
  }) => {
    const page = await open("/ui/queues", { width: 360 });
    await page.getByRole("button", { name: "Pause idle", exact: true }).click();
    const box = async (selector: string) =>
      (await page.locator(selector).first().boundingBox()) ?? { x: 0, y: 0, height: 0 };
    await page.locator(".toast").waitFor();

    expect((await box("tr.is-paused .name")).x).toBeGreaterThan(0);
    const toast = await box(".toast");
    expect(toast.y + toast.height).toBeLessThan((await box("nav")).y);
    await page.getByRole("button", { name: "Resume idle", exact: true }).click();
    await expect.poll(() => page.locator("tr.is-paused").count()).toBe(0);
  });

  test("it follows the system, and what was chosen instead is kept", async ({ open }) => {
    const page = await open("/", { colorScheme: "dark" });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

    expect(await ground()).toBe("rgb(18, 20, 21)");
    await page.getByRole("button", { name: "light" }).click();
    expect(await ground()).toBe("rgb(246, 246, 243)");
    await page.reload();
    await page.locator("h1").waitFor();
    expect(await ground()).toBe("rgb(246, 246, 243)");
    await page.getByRole("button", { name: "system" }).click();
    expect(await ground()).toBe("rgb(18, 20, 21)");
  });

  test("keys go to pages, along lists, to the search, and tell of themselves", async ({ open, loaded }) => {
    const page = await open("/");
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");

    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.waitForURL("**/ui/tasks");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
    await page.keyboard.press("j");
    expect(await focused()).toBe(loaded.binary);
    await page.keyboard.press("j");
    expect(await focused()).toBe(loaded.ready);
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/ui/task?id=${loaded.binary}*`);

    await page.keyboard.press("/");
    await page.keyboard.type("gtj?");
    expect(await page.getByLabel("Find a task by its id").inputValue()).toBe("gtj?");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    expect(await page.getByRole("dialog").textContent()).toContain("Go to Failures");
    await page.getByLabel("Single keys do something").uncheck();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    expect(new URL(page.url()).pathname).toBe("/ui/task");
  });

  test("a new page does not take the focus from the field that one has gone to", async ({ open }) => {
    const page = await open("/");
    const focused = await page.evaluate(async () => {
      document.querySelector<HTMLElement>('nav a[href="/ui/tasks"]')?.click();
      document.querySelector<HTMLElement>("#search")?.focus();
      for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
      return document.activeElement?.id;
    });
    expect(focused).toBe("search");
  });

  test("whoever comes back to a list stands where they left it", async ({ open, loaded }) => {
    const page = await open("/ui/tasks?state=dead");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(12);
    const ids = await page.locator("tbody [data-row]").allTextContents();
    for (let i = 0; i < 10; i++) await page.keyboard.press("j");
    await page.evaluate(() => scrollTo(0, 150));

    await page.keyboard.press("Enter");
    await page.waitForURL(`**/ui/task?id=${ids[9]}*`);
    await page.locator(".attempt").first().waitFor();
    await page.goBack();

    await expect.poll(() => page.evaluate(() => scrollY)).toBe(150);
    await page.keyboard.press("j");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(ids[10]);
    expect(loaded.dead).toContain(ids[10]);
  });

  test("the tab key reaches everything on a page and comes out again", async ({ open }) => {
    const page = await open("/ui/failures");
    await settled(page);

    const seen = new Set<string>();
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const at = document.activeElement;
        return at === document.body ? "end" : (at?.getAttribute("aria-label") ?? at?.textContent ?? "");
      });
      seen.add(name);
      if (name === "end") break;
    }
    expect([...seen].join("\n")).toMatch(
      /Skip to the content[\s\S]*Overview[\s\S]*Delete dead tasks of this group[\s\S]*end/,
    );
  });
});
