/** The blocks that came last, so that a task that is claimed soon is not read from disk. */

/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 200;

export class BodyCache {
  readonly #blocks = new Map<string, Buffer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps it if there is room: those that came first are claimed first, so no other makes room for it. */
  add(key: string, content: Buffer): void {
    const bytes = content.length + ENTRY_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) return;
    this.#bytes += bytes;
    this.#blocks.set(key, content);
  }

  take(key: string): Buffer | undefined {
    const content = this.#blocks.get(key);
    if (content === undefined) return undefined;
    this.#blocks.delete(key);
    this.#bytes -= content.length + ENTRY_BYTES;
    return content;
  }
}
