import type { Execution } from "./execution.ts";

interface Report {
  readonly percent: number;
  readonly detail: Uint8Array | undefined;
}

/** The last report of each task, sent once per turn of the event loop however often a handler reports. */
export class ProgressReports {
  readonly #send: (tag: number, report: Report) => void;
  readonly #reports = new Map<Execution, Report>();
  #next: NodeJS.Immediate | undefined;

  constructor(send: (tag: number, report: Report) => void) {
    this.#send = send;
  }

  add(execution: Execution, report: Report): void {
    this.#reports.set(execution, report);
    this.#next ??= setImmediate(() => this.#flush());
  }

  stop(): void {
    clearImmediate(this.#next);
    this.#reports.clear();
  }

  #flush(): void {
    this.#next = undefined;
    for (const [execution, report] of this.#reports) {
      // The outcome was faster: nobody cares any more.
      if (!execution.isOver) this.#send(execution.delivery.tag, report);
    }
    this.#reports.clear();
  }
}
