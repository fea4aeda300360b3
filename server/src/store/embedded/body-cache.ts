/** The blocks that came last, so that a task that is claimed soon is not read from disk. */
import { contentOf } from "./disk.ts";

/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 200;

export class BodyCache {
  /** Sealed records. */
  readonly #blocks = new Map<string, Buffer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps it if there is room: those that came first are claimed first, so no other makes room for it. */
  add(key: string, value: Buffer): void {
    const bytes = value.length + ENTRY_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) return;
    this.#bytes += bytes;
    this.#blocks.set(key, value);
  }

  /** The content of a block, which the cache then forgets. */
  take(key: string): Buffer | undefined {
    const value = this.#blocks.get(key);
    if (value === undefined) return undefined;
    this.#blocks.delete(key);
    this.#bytes -= value.length + ENTRY_BYTES;
    return contentOf(value);
  }
}
