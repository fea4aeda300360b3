/** Those who look on while others work: dashboards in browsers, and a Prometheus. */
import { Door } from "./door.ts";
import type { Visited } from "./protocol.ts";

const SCRAPE_MS = 1_000;
const EVENTS = "/events/stats?interval=1s";
const CHART_MS = 10_000;
/** What the pages of the dashboard ask for, and how often, besides the stream of numbers and the chart of the last hour. */
const PAGES = [
  { rpc: "TaskService/ListTasks", request: { state: "TASK_STATE_READY" }, everyMs: 3_000 },
  { rpc: "TaskService/ListFailures", request: {}, everyMs: 3_000 },
  { rpc: "StatsService/ListWorkers", request: {}, everyMs: 2_000 },
] as const;
/** One for the stream of each dashboard, and what is asked for beside it. */
const CONNECTIONS = 2 * PAGES.length + 1;

/** One dashboard on each of the three pages, and one scraper. */
export class Visits {
  readonly #door: Door;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #failures: unknown[] = [];
  #events = 0;
  #answers = 0;
  #scrapes = 0;
  #isOver = false;

  constructor(address: string) {
    this.#door = new Door(address, CONNECTIONS);
    for (const { rpc, request, everyMs } of PAGES) {
      this.#note(this.#door.events(EVENTS, () => this.#events++));
      this.#each(CHART_MS, () => this.#call("StatsService/GetHistory", {}));
      this.#each(everyMs, () => this.#call(rpc, request));
    }
    this.#each(SCRAPE_MS, async () => {
      await this.#door.get("/metrics");
      this.#scrapes++;
    });
  }

  /** @throws Error when one of them did not get what it asked for */
  end(): Visited {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#door.close();
    if (this.#failures.length > 0) throw new Error(`visitors were turned away: ${String(this.#failures[0])}`);
    return { events: this.#events, answers: this.#answers, scrapes: this.#scrapes };
  }

  /** At once, and from then on at each interval. */
  #each(everyMs: number, visit: () => Promise<void>): void {
    this.#note(visit());
    this.#timers.push(setInterval(() => this.#note(visit()), everyMs));
  }

  async #call(rpc: string, request: object): Promise<void> {
    await this.#door.call(rpc, request);
    this.#answers++;
  }

  /** What breaks off because it is over is no failure. */
  #note(visit: Promise<void>): void {
    visit.catch((error: unknown) => this.#isOver || this.#failures.push(error));
  }
}
