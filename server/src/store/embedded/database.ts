/** The LMDB file: sealed records, read at once, written in commits that are on disk when they resolve. */
import { open, type RootDatabase } from "lmdb";
import { DamageError, diskKey, type Kind, unseal } from "./disk.ts";

/** A record to put, or, without value, to remove. */
export interface Write {
  readonly key: Buffer;
  /** Sealed. */
  readonly value: Buffer | undefined;
}

export interface Entry {
  readonly key: Buffer;
  readonly content: Buffer;
}

const LAST = Buffer.from([255]);

export class Database {
  readonly path: string;
  readonly #lmdb: RootDatabase<Buffer, Buffer>;

  constructor(path: string) {
    this.path = path;
    this.#lmdb = open<Buffer, Buffer>(path, {
      encoding: "binary",
      keyEncoding: "binary",
      // A commit resolves when it is flushed, not before.
      overlappingSync: false,
      // Commits are gathered by the journal, which has no more than one under way.
      eventTurnBatching: false,
    });
  }

  /** Resolves when all of it is on disk. All of it, or nothing, is written. */
  async commit(writes: readonly Write[]): Promise<void> {
    try {
      await this.#lmdb.batch(() => {
        for (const { key, value } of writes) {
          if (value) this.#lmdb.put(key, value);
          else this.#lmdb.remove(key);
        }
      });
    } catch (error) {
      throw await reasonOf(error);
    }
  }

  /** The content of a record; a copy that stays. */
  get(key: Buffer): Buffer | undefined {
    const value = this.#lmdb.getBinaryFast(key);
    return value && Buffer.from(unseal(key, value));
  }

  /** The first key that begins with `prefix`. */
  firstKey(prefix: Buffer): Buffer | undefined {
    for (const key of this.#lmdb.getKeys({ start: prefix, end: Buffer.concat([prefix, LAST]), limit: 1 })) return key;
    return undefined;
  }

  /** The records whose keys begin with `prefix`, in order. */
  *entries(prefix: Buffer, limit?: number): Generator<Entry> {
    const range = { start: prefix, end: Buffer.concat([prefix, LAST]), ...(limit === undefined ? {} : { limit }) };
    for (const { key, value } of this.#lmdb.getRange(range)) yield { key, content: unseal(key, value) };
  }

  /** All records of a kind. */
  all(kind: Kind): Generator<Entry> {
    return this.entries(diskKey(kind, 0, "").subarray(0, 1));
  }

  async close(): Promise<void> {
    await this.#lmdb.close();
  }
}

/** lmdb rejects with a wrapper whose `commitError` is a promise that rejects with the reason. */
async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (reason: unknown) => reason,
  );
}

const MAP_FULL = -30792;
const FULL_CODES: readonly unknown[] = [MAP_FULL, 28, "ENOSPC", 122, "EDQUOT"];

/** Whether a commit failed for lack of room, and so changed nothing. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && FULL_CODES.includes(error.code);
}

const CORRUPTED_CODES: readonly unknown[] = [-30796, -30793, -30797];

/** Whether an error means that the file is damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamageError) return true;
  return error instanceof Error && "code" in error && CORRUPTED_CODES.includes(error.code);
}
