import { expect } from "vitest";
import { inBrowser } from "./dashboard-test.ts";

inBrowser((test) => {
  test("a queue is paused, which is seen everywhere, and resumed", async ({ open, broker }) => {
    const page = await open("/ui/queues");
    await page.getByRole("button", { name: "Pause idle", exact: true }).click();

    await expect.poll(() => page.locator(".toast").textContent()).toContain("idle is paused");
    await expect.poll(() => page.locator("tr.is-paused .badge.paused").textContent()).toBe("paused");
    await expect.poll(() => page.getByLabel("Pages").textContent()).toContain("1 paused");
    expect((await broker.rpc.queues.getQueue({ queue: "idle" })).queue?.paused).toBe(true);

    await page.getByRole("button", { name: "Resume idle", exact: true }).click();
    await expect.poll(() => page.locator("tr.is-paused").count()).toBe(0);
    expect((await broker.rpc.queues.getQueue({ queue: "idle" })).queue?.paused).toBe(false);
  });

  test("the enqueue rate of a queue is set and taken away", async ({ open, broker }) => {
    const page = await open("/ui/queues?queue=idle");
    const rateOf = async () => (await broker.rpc.queues.getQueue({ queue: "idle" })).queue?.enqueueRate;

    await page.getByRole("button", { name: "Enqueue rate of idle" }).click();
    await page.getByLabel("Tasks a second").fill("50");
    await page.getByLabel("At once, at most").fill("200");
    await page.getByRole("button", { name: "Set the rate" }).click();
    await expect.poll(rateOf).toEqual({ perSecond: 50, burst: 200 });
    await expect.poll(() => page.locator("tbody").textContent()).toContain("50/s at most");

    await page.getByRole("button", { name: "Enqueue rate of idle" }).click();
    await page.getByLabel("Tasks a second").fill("");
    await page.getByRole("button", { name: "Remove the limit" }).click();
    await expect.poll(rateOf).toBeUndefined();
  });

  test("a window stands in the middle with its text in it, and gives the focus back", async ({ open }) => {
    const page = await open("/ui/queues");
    const rate = page.getByRole("button", { name: "Enqueue rate of render" });
    await rate.click();
    const dialog = page.getByRole("dialog");
    const { x = 0, width = 0 } = (await dialog.boundingBox()) ?? {};
    expect(Math.abs(x + width / 2 - 640)).toBeLessThan(2);
    expect(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
    // There is no limit to remove.
    expect(await dialog.getByRole("button", { name: "Set the rate" }).isDisabled()).toBe(true);

    await dialog.getByRole("button", { name: "Keep as it is" }).click();
    await expect.poll(() => dialog.count()).toBe(0);
    expect(await rate.evaluate((button) => button === document.activeElement)).toBe(true);

    await page.goto(new URL("/ui/failures", page.url()).href);
    await page.getByRole("button", { name: "Delete all dead tasks", exact: true }).click();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await expect.poll(focused).toBe("Keep as it is");
    // Whoever only presses Enter deletes nothing.
    await page.keyboard.press("Enter");
    await expect.poll(() => dialog.count()).toBe(0);
    expect(await page.locator(".toast").count()).toBe(0);
  });

  test("a task is cancelled after it was asked, and its page says so", async ({ open, broker, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.active}`);
    await page.getByRole("button", { name: `Cancel ${loaded.active}`, exact: true }).click();

    const dialog = page.getByRole("dialog");
    expect(await dialog.textContent()).toContain("Cancel 1 task?");
    await dialog.getByRole("button", { name: "Keep as it is" }).click();
    expect((await broker.rpc.tasks.getTask({ taskId: loaded.active })).status?.state).toBe(3);

    await page.getByRole("button", { name: `Cancel ${loaded.active}`, exact: true }).click();
    await dialog.getByRole("button", { name: "Cancel", exact: true }).click();
    await expect.poll(() => page.locator(".toast").textContent()).toContain("its worker was told to stop");
    await expect.poll(() => page.locator("h1").textContent()).toContain("cancelled");
    expect((await broker.rpc.tasks.getTask({ taskId: loaded.active })).status?.state).toBe(6);
  });

  test("dead tasks are revived one by one, and deleted by group and all, each with its number", async ({
    open,
    broker,
    loaded,
  }) => {
    const deadNow = async () => Number((await broker.rpc.stats.getStats({})).stats?.total?.dead);
    // What is revived here must not run again.
    loaded.worker.cut();

    const list = await open("/ui/tasks?state=dead");
    await list.getByRole("button", { name: `Revive ${loaded.dead[0]}`, exact: true }).click();
    await expect.poll(() => list.locator(".toast").textContent()).toContain(`${loaded.dead[0]} is ready again`);
    await expect.poll(deadNow).toBe(11);

    const page = await open("/ui/failures");
    const dialog = page.getByRole("dialog");
    const group = page.locator(".failure", { hasText: "disk" });
    await expect.poll(() => group.locator(".failure-count").textContent()).toBe("3");
    await group
      .getByRole("button", { name: /^Delete/ })
      .first()
      .click();
    expect(await dialog.textContent()).toContain("Delete 3 dead tasks of this group?");
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(() => page.locator(".toast").textContent()).toContain("3 tasks were deleted");
    await expect.poll(deadNow).toBe(8);

    await expect.poll(() => page.locator(".about").textContent()).toContain("8 dead tasks");
    await page
      .getByRole("button", { name: /^Revive all/ })
      .first()
      .click();
    expect(await dialog.textContent()).toContain("Revive 8 dead tasks?");
    await dialog.getByRole("button", { name: "Revive all", exact: true }).click();
    await expect.poll(deadNow).toBe(0);
    await expect.poll(() => page.locator(".toasts").textContent()).toContain("8 tasks were revived");
  });

  test("an action that is refused says why", async ({ open, broker, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.scheduled}`, { mayFail: true });
    const cancel = page.getByRole("button", { name: `Cancel ${loaded.scheduled}`, exact: true });
    await cancel.waitFor();
    await page.route("**/CancelTask", (route) =>
      route.fulfill({
        status: 400,
        json: { code: "failed_precondition", message: "task is completed: nothing was changed" },
      }),
    );

    await cancel.click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel", exact: true }).click();

    await expect
      .poll(() => page.locator(".toast.failed").textContent())
      .toContain("Nothing was done: task is completed");
    expect((await broker.rpc.tasks.getTask({ taskId: loaded.scheduled })).status?.state).toBe(1);
  });

  test("views and actions are copied as grpcurl, with the address of this broker", async ({ open, broker, loaded }) => {
    const page = await open(`/ui/task?id=${loaded.scheduled}`);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());

    await page.getByRole("button", { name: "Copy as grpcurl", exact: true }).click();
    await expect
      .poll(copied)
      .toBe(
        `grpcurl -plaintext -d '{"taskId":"${loaded.scheduled}"}' ${broker.address} taskwire.v1.TaskService/GetTask`,
      );
    await page.getByRole("button", { name: `Copy as grpcurl: Cancel ${loaded.scheduled}` }).click();
    await expect
      .poll(copied)
      .toMatch(
        /^grpcurl -plaintext -d '\{"taskId":"\w+","queue":"later","reason":".*"\}' \S+ taskwire\.v1\.TaskService\/CancelTask$/,
      );
  });
});
