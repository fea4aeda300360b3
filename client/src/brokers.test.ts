import { expect, test } from "vitest";
import { Brokers } from "./brokers.ts";

test("the next broker is used after a failure, and the first again after the last", () => {
  const brokers = new Brokers(["a:1", "b:1"]);
  const first = brokers.current();

  brokers.moveOn(first);
  const second = brokers.current();
  brokers.moveOn(second);

  expect([first.address, second.address]).toEqual(["a:1", "b:1"]);
  expect(brokers.current()).toBe(first);
  brokers.close();
});

test("two calls that fail on one broker move on by one", () => {
  const brokers = new Brokers(["a:1", "b:1", "c:1"]);
  const first = brokers.current();

  brokers.moveOn(first);
  brokers.moveOn(first);

  expect(brokers.current().address).toBe("b:1");
  brokers.close();
});

test("there is no pause while a broker is untried, then the one that was asked for, or more", () => {
  const brokers = new Brokers(["a:1", "b:1"]);

  expect(brokers.backoffMs(1, 60_000)).toBe(0);
  expect(brokers.backoffMs(2, 60_000)).toBe(60_000);
  expect(brokers.backoffMs(2)).toBeGreaterThanOrEqual(50);
  expect(brokers.backoffMs(1_000)).toBeLessThanOrEqual(1_000);
});
