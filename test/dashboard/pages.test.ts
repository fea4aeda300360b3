import { expect } from "vitest";
import { inBrowser } from "./dashboard-test.ts";
import { LARGE } from "./load.ts";

inBrowser((test) => {
  test("the overview shows the numbers, and each leads to the list that it counts", async ({ open }) => {
    const page = await open("/");

    const figure = (name: string) => page.locator(".figure", { hasText: name }).locator(".figure-value");
    await expect.poll(() => figure("Dead").textContent()).toBe("12");
    expect(await figure("Waiting").textContent()).toBe("2");
    expect(await figure("Scheduled").textContent()).toBe("1");
    expect(await figure("Active").textContent()).toBe("1");
    await page.locator(".figure", { hasText: "Dead" }).click();

    await page.waitForURL("**/ui/tasks?state=dead");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(12);
  });

  test("the chart shows the last hour as the broker kept it, also after a reload", async ({ open }) => {
    const page = await open("/ui/queues");
    const nowMs = Date.now();
    const moments = Array.from({ length: 360 }, (_, i) => ({
      time: new Date(nowMs - (360 - i) * 10_000).toISOString(),
      total: { enqueued: String(i * 500), completed: String(i * 490), failed: String(i * 10), ready: "7", dead: "3" },
      wait: { p95: "0.012s", count: "500" },
      run: { p95: "0.250s", count: "500" },
    }));
    await page.route("**/GetHistory", (route) => route.fulfill({ json: { moments } }));
    await page.goto(new URL("/", page.url()).href);

    for (const _time of ["first", "reloaded"]) {
      const plot = page.locator(".plot");
      await expect.poll(() => plot.getAttribute("aria-label")).toMatch(/enqueued: at most 50\/s.*failed: at most 1\/s/);
      await plot.locator("canvas").waitFor();
      await page.reload();
    }
    await page.getByRole("button", { name: "Latency" }).click();
    await expect
      .poll(() => page.locator(".plot").getAttribute("aria-label"))
      .toMatch(/wait p95: at most \d.* m?s.*run p95: at most \d.* m?s/);
  });

  test("the last hour is asked for at once, not when the stream has begun", async ({ open }) => {
    const page = await open("/ui/queues");
    await page.route("**/events/stats*", () => {});

    const asked = page.waitForRequest("**/GetHistory");
    await page.goto(new URL("/", page.url()).href);
    await asked;
  });

  test("a queue that works is among the busy ones, however many stand still", async ({ open }) => {
    const page = await open("/ui/queues", { mayFail: true });
    const still = Array.from({ length: 20 }, (_, i) => ({ name: `a-${i}`, counters: { ready: "5" } }));
    const queues = [...still, { name: "works", counters: { ready: "2", active: "3" } }];
    const stats = { time: new Date().toISOString(), total: { enqueued: "105" }, queues };
    await page.route("**/events/stats*", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify({ stats })}\n\n` }),
    );
    await page.goto(new URL("/", page.url()).href);

    await expect.poll(() => page.locator(".busy [data-row]").allTextContents()).toContain("works");
  });

  test("the queues show what stands in each", async ({ open }) => {
    const page = await open("/ui/queues");

    const row = page.locator("tr", { hasText: "render" });
    await expect.poll(() => row.locator("td").nth(6).textContent()).toBe("12");
    await row.locator("td").nth(6).locator("a").click();
    await page.waitForURL("**/ui/tasks?state=dead&queue=render");
  });

  test("queues are found by a part of their name and stand by any number, and the address says so", async ({
    open,
  }) => {
    const page = await open("/ui/queues");
    const names = () => page.locator("tbody [data-row]").allTextContents();
    await expect.poll(names).toEqual(["email", "hold", "idle", "later", "render"]);

    await page.getByRole("link", { name: "Dead", exact: true }).click();
    await page.waitForURL("**/ui/queues?sort=dead");
    await expect.poll(names).toEqual(["render", "email", "hold", "idle", "later"]);
    expect(await page.locator("[aria-sort]").textContent()).toContain("Dead");
    await page.getByRole("link", { name: "Waiting", exact: true }).click();
    await expect.poll(async () => (await names())[0]).toBe("idle");

    await page.getByLabel("Find a queue by a part of its name").fill("E");
    await page.waitForURL("**/ui/queues?find=E&sort=ready");
    await expect.poll(names).toEqual(["idle", "email", "later", "render"]);
    expect(await page.locator(".about").textContent()).toContain("4 of 5 queues");
    await page.reload();
    await expect.poll(names).toHaveLength(4);
    await page.getByLabel("Find a queue by a part of its name").fill("nothing");
    await expect.poll(() => page.locator(".empty").textContent()).toContain("No queue with nothing in its name");
  });

  test("queues stand by a rate as soon as rates are known", async ({ open }) => {
    const page = await open("/ui/tasks", { mayFail: true });
    const startMs = Date.now();
    let seconds = 0;
    await page.route("**/events/stats*", (route) => {
      const time = new Date(startMs + seconds * 1_000).toISOString();
      const queues = ["a", "z"].map((name) => ({
        name,
        counters: { enqueued: name === "z" ? `${seconds * 9}` : "5" },
      }));
      seconds++;
      const stats = { time, total: { enqueued: `${seconds * 9}` }, queues };
      return route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify({ stats })}\n\n` });
    });
    await page.goto(new URL("/ui/queues?sort=in", page.url()).href);

    const names = () => page.locator("tbody [data-row]").allTextContents();
    await expect.poll(names, { timeout: 8_000 }).toEqual(["z", "a"]);
  });

  test("tasks of very many queues are not listed together: one is chosen", async ({ open }) => {
    const page = await open("/ui/queues", { mayFail: true });
    const queues = Array.from({ length: 201 }, (_, i) => ({ name: `q-${i}`, counters: { ready: `${i + 1}` } }));
    const stats = { time: new Date().toISOString(), total: { enqueued: "20301", ready: "20301" }, queues };
    await page.route("**/events/stats*", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify({ stats })}\n\n` }),
    );
    await page.route("**/ListTasks", (route) =>
      route.fulfill({ status: 400, json: { code: "invalid_argument", message: "queue: is needed" } }),
    );
    await page.goto(new URL("/ui/tasks", page.url()).href);

    await expect.poll(() => page.locator(".empty").textContent()).toContain("201 queues have such tasks");
    expect(await page.locator(".choices a").first().textContent()).toBe("q-200 201");
    await page.locator(".choices a").first().click();
    await page.waitForURL("**/ui/tasks?state=ready&queue=q-200");
  });

  test("a number is told to the last digit", async ({ open }) => {
    const page = await open("/ui/queues", { mayFail: true });
    const counters = { enqueued: "123456", ready: "123456" };
    const time = new Date().toISOString();
    const stats = { time, total: counters, queues: [{ name: "large", counters, oldestReadyTime: time }] };
    await page.route("**/events/stats*", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify({ stats })}\n\n` }),
    );
    await page.goto(new URL("/", page.url()).href);

    await expect
      .poll(() => page.locator(".figure", { hasText: "Waiting" }).locator(".figure-value").textContent())
      .toBe("123,456");
    // All that wait, not those of one queue.
    expect(await page.locator(".figure", { hasText: "Waiting" }).getAttribute("href")).toBe("/ui/tasks?state=ready");
  });

  test("tasks are listed by state, queue and type, and the filter is in the address", async ({ open, loaded }) => {
    const page = await open("/ui/tasks");

    await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
    await page.getByLabel("State").getByText("completed").click();
    await expect.poll(() => page.locator("tbody").textContent()).toContain(loaded.completed);
    await page.getByLabel("State").getByText("active").click();
    await expect.poll(() => page.locator("tbody").textContent()).toContain("w-00000001");
    await page.getByLabel("State").getByText("dead").click();
    await page.getByLabel("Queue").selectOption("render");
    await page.waitForURL("**/ui/tasks?state=dead&queue=render");
    await page.getByLabel("Type").selectOption("idle");
    await page.waitForURL("**/ui/tasks?state=dead&queue=render&type=idle");
    await expect.poll(() => page.locator(".empty-title").textContent()).toContain("No task of the type idle");
    await page.goBack();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(12);
  });

  test("a task is found by its id, and its payload and result are exact", async ({ open, loaded }) => {
    const page = await open("/");

    await page.getByLabel("Find a task by its id").fill(loaded.completed);
    await page.keyboard.press("Enter");

    await expect.poll(() => page.locator("h1").textContent()).toContain(loaded.completed);
    await expect.poll(() => page.locator(".content .code").textContent()).toContain(`"messageId": ${LARGE}`);
    expect(await page.locator(".attempt").textContent()).toContain("w-00000001");
  });

  test("a task that waits says why, one that is dead shows its attempts with their stacks", async ({
    open,
    loaded,
  }) => {
    const waiting = await open(`/ui/task?id=${loaded.ready}`);
    await expect
      .poll(() => waiting.locator(".why p").textContent())
      .toContain("No worker takes tasks of the queue idle");
    const held = await open(`/ui/task?id=${loaded.active}`);
    await expect.poll(() => held.locator(".why p").textContent()).toContain("Held by worker w-00000001 since");
    expect(await held.locator(".why h2").textContent()).toBe("Where is it now?");
    const dead = await open(`/ui/task?id=${loaded.dead[0]}`);
    await expect.poll(() => dead.locator(".attempt-error").textContent()).toMatch(/RenderError|Markup/);
    expect(await dead.locator(".stack .code").isVisible()).toBe(true);
  });

  test("what is no text is shown as hex", async ({ open, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.binary}`);

    await expect.poll(() => page.locator(".content .code").textContent()).toContain("00000000  00 01 02 ff");
  });

  test("many failures of three kinds are three rows", async ({ open }) => {
    const page = await open("/ui/failures");

    await expect.poll(() => page.locator(".failure").count()).toBe(3);
    expect(await page.locator(".failure-count").allTextContents()).toEqual(["4", "4", "4"]);
    expect(await page.locator(".about").textContent()).toContain("12 dead tasks in 3 groups");
    await page.locator(".failure-count").first().click();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(4);
  });

  test("the workers show what each holds", async ({ open, loaded }) => {
    const page = await open("/ui/workers");

    await expect.poll(() => page.locator(".holding").textContent(), { timeout: 5_000 }).toContain(loaded.active);
    expect(await page.locator(".worker-slots").textContent()).toContain("1 of 20 slots");
    await page.goto(new URL("/ui/workers?queue=idle", page.url()).href);
    await expect.poll(() => page.locator(".empty").textContent()).toContain("No worker takes tasks of idle");
  });

  test("an unknown task, page and queue each say so", async ({ open }) => {
    // The browser says on the console that the answer was 404.
    const none = await open("/ui/task?id=0G8J485ZS01M882QKJJ0000P4T6KS00", { mayFail: true });
    await expect.poll(() => none.locator(".empty").textContent()).toContain("There is no such task");
    const chosen = await open("/ui/task?id=mine", { mayFail: true });
    await expect.poll(() => chosen.locator(".empty").textContent()).toContain("In which queue?");
    const queue = await open("/ui/queues?queue=nothing");
    await expect.poll(() => queue.locator(".empty").textContent()).toContain("There is no queue nothing");
  });
});
