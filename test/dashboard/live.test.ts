import { expect } from "vitest";
import { startBroker } from "./broker.ts";
import { inBrowser } from "./dashboard-test.ts";

inBrowser((test) => {
  test("a list does not jump: what is new waits until it is asked for", async ({ open, broker, loaded }) => {
    const page = await open("/ui/tasks?state=ready");
    const rows = () => page.locator("tbody [data-row]").allTextContents();
    await expect.poll(rows).toEqual([loaded.binary, loaded.ready]);

    const top = () => page.locator("tbody").evaluate((body) => body.getBoundingClientRect().top);
    const before = await top();

    for (let i = 0; i < 3; i++) await broker.rpc.tasks.enqueue({ type: "idle" });

    const fresh = page.getByRole("button", { name: "3 new" });
    await fresh.waitFor();
    expect(await rows()).toEqual([loaded.binary, loaded.ready]);
    expect(await top()).toBe(before);
    await fresh.click();
    expect(await rows()).toHaveLength(5);
  });

  test("numbers move by themselves", async ({ open, broker }) => {
    const page = await open("/");
    const scheduled = page.locator(".figure", { hasText: "Scheduled" }).locator(".figure-value");
    await expect.poll(() => scheduled.textContent()).toBe("1");

    await broker.rpc.tasks.enqueue({ type: "later", schedule: { $case: "delay", value: { seconds: 60, nanos: 0 } } });

    await expect.poll(() => scheduled.textContent(), { timeout: 4_000 }).toBe("2");
  });

  test("a hidden page holds no stream, and one that is seen again is live", async ({ open }) => {
    const page = await open("/");
    await page.locator(".link.live").waitFor();
    const hide = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/events/stats"));

    await hide(true);
    await ended;
    expect(await page.locator(".link").textContent()).toContain("paused");
    await hide(false);
    await page.locator(".link.live").waitFor();
  });

  test("an empty installation says how to begin", async ({ open }) => {
    const empty = await startBroker();
    try {
      const page = await open("/");
      const problems: string[] = [];
      const other = await page.context().newPage();
      other.on("pageerror", (error) => problems.push(error.message));
      await other.goto(empty.url);
      await expect.poll(() => other.locator(".first-steps").textContent()).toContain("No task was enqueued yet");
      expect(await other.locator(".first-steps").textContent()).toContain(
        `grpcurl -plaintext -d '{"type":"hello","json":{"name":"Ada"}}' ${empty.address} taskwire.v1.TaskService/Enqueue`,
      );
      await other.goto(`${empty.url}/ui/workers`);
      await expect.poll(() => other.locator(".empty").textContent()).toContain("No worker is connected");
      await other.goto(`${empty.url}/ui/failures`);
      await expect.poll(() => other.locator(".empty").textContent()).toContain("No task is dead");
      expect(problems).toEqual([]);
    } finally {
      await empty.stop();
    }
  });

  test("a store that is away is told, with what to type", async ({ open }) => {
    const page = await open("/", { mayFail: true });
    await page.locator(".link.live").waitFor();
    await page.route("**/readyz", (route) =>
      route.fulfill({ status: 503, json: { status: "not ready", reason: "the store cannot be reached" } }),
    );
    await page.route("**/events/stats*", (route) => route.fulfill({ status: 503, json: { code: "unavailable" } }));
    await page.reload();

    await expect.poll(() => page.locator(".banner").textContent()).toContain("The store is away");
    expect(await page.locator(".banner").textContent()).toContain("redis-cli");
    await page.unroute("**/events/stats*");
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator(".link.live").waitFor();
    expect(await page.locator(".banner").count()).toBe(0);
  });

  // Last: it ends the broker of this file.
  test("a broker that goes away and comes back is told, and followed again", async ({ open, broker }) => {
    const page = await open("/", { mayFail: true });
    await page.locator(".link.live").waitFor();
    await broker.stop();

    await expect.poll(() => page.locator(".banner").textContent(), { timeout: 10_000 }).toContain("The broker is away");
    expect(await page.locator(".banner").textContent()).toMatch(/npm run broker.*Next try in \d+ s|Trying now/);
    expect(await page.locator(".topbar .link").textContent()).toMatch(/reconnecting …, last updated .* ago/);
    expect(await page.locator(".figure").count()).toBe(7);

    const again = await startBroker({
      grpc: Number(broker.address.split(":")[1]),
      http: Number(new URL(broker.url).port),
    });
    try {
      await page.locator(".link.live").waitFor({ timeout: 15_000 });
    } finally {
      await again.stop();
    }
  });
});
