/** A block that takes plain tasks as long as its turn lasts, from one call or several: few large records cost least. */
import { MAX_BLOCK_TASKS } from "../../domain/ids.ts";
import { varintLength, writeVarint } from "../../lib/varint.ts";
import { type BlockName, blockDiskName } from "./block-name.ts";
import { CONTENT_AT } from "./disk.ts";

/** A block is read as a whole: this keeps one with large bodies from growing beyond measure. */
const BLOCK_BYTES = 256 * 1024;

export class BlockBuilder {
  readonly key: string;
  /** When its tasks are due; 0 if they are ready. */
  readonly runAtMs: number;
  readonly #hasOptions: boolean;
  readonly #bodies: Uint8Array[] = [];
  #bytes = 0;
  /** The sealed record, once it is written. */
  value: Buffer | undefined;
  /** Whether the line has it. */
  isPublished = false;

  constructor(key: string, hasOptions: boolean, runAtMs: number) {
    this.key = key;
    this.runAtMs = runAtMs;
    this.#hasOptions = hasOptions;
  }

  get count(): number {
    return this.#bodies.length;
  }

  get name(): BlockName {
    return { key: this.key, count: this.count, hasOptions: this.#hasOptions, runAtMs: this.runAtMs };
  }

  get diskName(): string {
    return blockDiskName(this.name);
  }

  canTake(body: Uint8Array, hasOptions: boolean, runAtMs: number): boolean {
    if (hasOptions !== this.#hasOptions || runAtMs !== this.runAtMs || this.count === MAX_BLOCK_TASKS) return false;
    return this.count === 0 || this.#bytes + body.length <= BLOCK_BYTES;
  }

  /** Returns the index of the task. */
  add(body: Uint8Array): number {
    this.#bytes += varintLength(body.length) + body.length;
    return this.#bodies.push(body) - 1;
  }

  /** The bodies as in store/bodies.ts, behind room for the checksum. */
  toValue(): Buffer {
    const value = Buffer.allocUnsafe(CONTENT_AT + this.#bytes);
    let at = CONTENT_AT;
    for (const body of this.#bodies) {
      at = writeVarint(value, at, body.length);
      value.set(body, at);
      at += body.length;
    }
    return value;
  }
}
