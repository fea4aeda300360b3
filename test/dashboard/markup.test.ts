import { expect } from "vitest";
import { inBrowser } from "./dashboard-test.ts";
import { MARKUP } from "./load.ts";

/** That nothing of it became HTML, `open` looks at after each test. */
inBrowser((test) => {
  test("markup in payload, headers and content type is text", async ({ open, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.ready}`);

    await expect.poll(() => page.locator(".content .code").textContent()).toContain(JSON.stringify(MARKUP));
    expect(await page.locator(".headers").textContent()).toContain(MARKUP);
    expect(await page.locator(".panel-aside").first().textContent()).toBe(MARKUP);
    await page.goto(new URL("/ui/tasks?queue=idle", page.url()).href);
    await expect.poll(() => page.locator("tbody").textContent()).toContain("<img src=x");
  });

  test("markup in errors, their types and stacks is text", async ({ open, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.dead[1]}`);

    await expect.poll(() => page.locator(".attempt-error").textContent()).toBe(`<b>Markup</b> ${MARKUP}`);
    expect(await page.locator(".stack .code").textContent()).toContain(MARKUP);
    await page.goto(new URL("/ui/failures", page.url()).href);
    await expect.poll(() => page.locator(".failures").textContent()).toContain("<b>Markup</b> <img src=x");
    await page.goto(new URL("/ui/tasks?state=dead", page.url()).href);
    await expect.poll(() => page.locator("tbody").textContent()).toContain("<script>");
  });

  test("markup that a worker tells of itself is text", async ({ open }) => {
    const page = await open("/ui/workers");

    await expect.poll(() => page.locator(".worker-meta").first().textContent()).toContain(`${MARKUP} · ${MARKUP}`);
    expect(await page.locator(".labels").textContent()).toContain(`zone=${MARKUP}`);
  });

  test("markup in the reason of a cancellation is text", async ({ open, broker, loaded }) => {
    await broker.rpc.tasks.cancelTask({ taskId: loaded.scheduled, reason: MARKUP });
    const page = await open(`/ui/task?id=${loaded.scheduled}`);

    await expect.poll(() => page.locator("main").textContent()).toContain(MARKUP);
    await page.goto(new URL("/ui/tasks?state=cancelled", page.url()).href);
    await expect.poll(() => page.locator("tbody").textContent()).toContain(MARKUP);
  });

  test("markup in the address is text", async ({ open }) => {
    const text = encodeURIComponent(MARKUP);
    const page = await open(`/ui/task?id=${text}&queue=${text}`, { mayFail: true });
    await expect.poll(() => page.locator("h1").textContent()).toBe(MARKUP);
    await page.goto(new URL(`/ui/tasks?state=dead&queue=${text}&type=${text}&failure=${text}`, page.url()).href);
    await expect.poll(() => page.locator(".empty").textContent()).toContain("could not be loaded");
    await page.goto(new URL(`/ui/queues?queue=${text}`, page.url()).href);
    await expect.poll(() => page.locator("h1").textContent()).toContain(MARKUP);
  });
});
