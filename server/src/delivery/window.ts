/** How much a session may hold at a time. */
export interface Window {
  readonly maxTasks: number;
  readonly maxBytes: number;
}

/** What a session holds, against its window. */
export class WindowUse {
  #window: Window;
  #tasks = 0;
  #bytes = 0;

  constructor(window: Window) {
    this.#window = window;
  }

  get tasks(): number {
    return this.#tasks;
  }

  get maxTasks(): number {
    return this.#window.maxTasks;
  }

  resize(window: Window): void {
    this.#window = window;
  }

  take(bytes: number): void {
    this.#tasks++;
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#tasks--;
    this.#bytes -= bytes;
  }

  /** How many more tasks fit; 0 also when the bytes are used up. A session that holds nothing takes a task of any size. */
  get roomTasks(): number {
    if (this.#tasks > 0 && this.#bytes >= this.#window.maxBytes) return 0;
    return Math.max(0, this.#window.maxTasks - this.#tasks);
  }

  get roomBytes(): number {
    return Math.max(0, this.#window.maxBytes - this.#bytes);
  }
}
