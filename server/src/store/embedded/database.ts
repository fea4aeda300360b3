/** The LMDB file: sealed records, read at once, written in commits that are on disk when they resolve. */
import { statfs } from "node:fs/promises";
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
        // The promise of the batch stands for those of its writes.
        for (const { key, value } of writes) {
          if (value) void this.#lmdb.put(key, value);
          else void this.#lmdb.remove(key);
        }
      });
    } catch (error) {
      throw await reasonOf(error);
    }
  }

  /** The content of a record; a copy that stays. */
  get(key: Buffer): Buffer | undefined {
    // Not getBinaryFast: its buffer is larger than its `length` says, which slices do not heed on every Node.
    const value = this.#lmdb.getBinary(key);
    return value && unseal(key, value);
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

  /** The same from the last to the first; from the one with this name on, if it is given. */
  *entriesDown(prefix: Buffer, name: string | undefined): Generator<Entry> {
    const start = Buffer.concat([prefix, name === undefined ? LAST : Buffer.from(name, "latin1")]);
    for (const { key, value } of this.#lmdb.getRange({ start, end: prefix, reverse: true }))
      yield { key, content: unseal(key, value) };
  }

  /** All records of a kind. */
  all(kind: Kind): Generator<Entry> {
    return this.entries(diskKey(kind, 0, "").subarray(0, 1));
  }

  /** Whether a commit of so many bytes failed for lack of room. */
  isFull(error: unknown, bytes: number): Promise<boolean> {
    return isFull(error, this.path, bytes);
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

const EIO = 5;
/** MDB_MAP_FULL, ENOSPC, EDQUOT. */
const FULL_CODES: readonly unknown[] = [-30792, 28, 122];

/** Whether a commit of so many bytes failed for lack of room, and so changed nothing. */
async function isFull(error: unknown, path: string, bytes: number): Promise<boolean> {
  if (!(error instanceof Error && "code" in error)) return false;
  if (FULL_CODES.includes(error.code)) return true;
  // LMDB tells of a write that was cut short as of any broken disk.
  return error.code === EIO && (await freeBytes(path)) < 2 * bytes + SHORT_BYTES;
}

/** Less than this is as good as nothing: a commit writes whole pages, those above what changed included. */
const SHORT_BYTES = 1024 * 1024;

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** MDB_CORRUPTED, MDB_INVALID, MDB_PAGE_NOTFOUND. */
const CORRUPTED_CODES: readonly unknown[] = [-30796, -30793, -30797];

/** Whether an error means that the file is damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamageError) return true;
  return error instanceof Error && "code" in error && CORRUPTED_CODES.includes(error.code);
}
