/**
 * A file that only takes up room. When the disk is full it is removed, so that workers can still settle their tasks while
 * no new ones are accepted; once there is room again it is put back.
 */
import { writeFileSync } from "node:fs";
import { rm, stat, writeFile } from "node:fs/promises";

const RESERVE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = 5_000;

export class Reserve {
  readonly #path: string;
  #isUsed = false;
  #retryAtMs = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes up the room. Without it the store works as well, until the disk is full. */
  async start(): Promise<void> {
    const size = await stat(this.#path).then(
      (found) => found.size,
      () => 0,
    );
    if (size === RESERVE_BYTES) return;
    await writeFile(this.#path, Buffer.alloc(RESERVE_BYTES, 1)).catch(() => rm(this.#path, { force: true }));
  }

  /** Whether the store lives on the reserve, and must not grow. */
  get isUsed(): boolean {
    if (this.#isUsed && Date.now() >= this.#retryAtMs) this.#restore();
    return this.#isUsed;
  }

  /** Gives the room to the store; false when that was done before. */
  async use(): Promise<boolean> {
    if (this.#isUsed) return false;
    await rm(this.#path, { force: true });
    this.#isUsed = true;
    this.#retryAtMs = Date.now() + RETRY_MS;
    return true;
  }

  #restore(): void {
    this.#retryAtMs = Date.now() + RETRY_MS;
    try {
      writeFileSync(this.#path, Buffer.alloc(RESERVE_BYTES, 1));
      this.#isUsed = false;
    } catch {
      // Still no room. What was written of it must not take the rest.
      void rm(this.#path, { force: true });
    }
  }
}
