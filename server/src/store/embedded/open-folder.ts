/** The folder of an open store: its lock, its file, and the state that was made from it. */
import { mkdir, open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CannotStart } from "../../domain/cannot-start.ts";
import type { Logger } from "../../observe/logger.ts";
import type { StoreEvents, StoreOptions } from "../store.ts";
import { BodyCache } from "./body-cache.ts";
import { Claimer } from "./claim.ts";
import { Database, isDamage } from "./database.ts";
import { checkFile } from "./file-check.ts";
import { markNew } from "./format.ts";
import { Journal } from "./journal.ts";
import { Loader } from "./load.ts";
import { FolderLock } from "./lock.ts";
import type { EmbeddedParts } from "./parts.ts";
import { Registry } from "./registry.ts";
import { Reserve } from "./reserve.ts";
import { Stamps } from "./stamps.ts";

const CACHE_BYTES = 32 * 1024 * 1024;

export interface FolderOptions extends StoreOptions {
  readonly dir: string;
  readonly brokerId: string;
  readonly events: StoreEvents;
  readonly logger: Logger;
}

export class OpenFolder {
  readonly parts: EmbeddedParts;
  readonly journal: Journal;
  readonly claimer: Claimer;
  readonly #lock: FolderLock;

  constructor(parts: EmbeddedParts, journal: Journal, lock: FolderLock) {
    this.parts = parts;
    this.journal = journal;
    this.claimer = new Claimer(parts);
    this.#lock = lock;
  }

  /** @throws CannotStart */
  static async open(options: FolderOptions): Promise<OpenFolder> {
    const dir = resolve(options.dir);
    try {
      await mkdir(dir, { recursive: true });
      return await OpenFolder.#lockAndOpen(dir, options);
    } catch (error) {
      throw unusable(dir, error);
    }
  }

  static async #lockAndOpen(dir: string, options: FolderOptions): Promise<OpenFolder> {
    const lock = new FolderLock(join(dir, "lock"));
    lock.acquire();
    try {
      const reserve = new Reserve(join(dir, "reserve"));
      await reserve.start();
      const opened = await openFile(join(dir, "tasks.mdb"), lock, reserve, options);
      for (const folder of [dir, dirname(dir)]) await syncFolder(folder);
      return opened;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Waits for what is under way, and writes the counters once more: claims alone do not. */
  async close(): Promise<void> {
    await this.journal.drained();
    for (const queue of this.parts.registry.all()) {
      this.journal.submit({
        queue,
        grows: false,
        canWait: true,
        prepare: (turn) => void turn.count(queue),
        publish: () => undefined,
        fail: () => undefined,
      });
    }
    await this.journal.drained();
    await this.parts.database.close();
    this.#lock.release();
    this.parts.registry.tellWaiting();
  }
}

/** What the system refuses, it says with a code: no such rights, no room, not a folder. */
function unusable(dir: string, error: unknown): unknown {
  if (error instanceof CannotStart || !(error instanceof Error) || !("code" in error)) return error;
  const remedy = "give the broker's user the right to write there, or name another folder with TASKWIRE_DATA_DIR";
  return new CannotStart(`the data folder ${dir} cannot be used: ${error.message}; ${remedy}`, { cause: error });
}

async function openFile(path: string, lock: FolderLock, reserve: Reserve, options: FolderOptions): Promise<OpenFolder> {
  const { brokerId, events, logger } = options;
  const registry = new Registry(options.maxQueues);
  const stamps = new Stamps();
  const database = await openSound(path, async (opened) => {
    await markNew(opened);
    new Loader(opened, registry, stamps).load();
  });
  const cache = new BodyCache(CACHE_BYTES);
  const parts: EmbeddedParts = { database, registry, cache, events, options, brokerId };
  const onBroken = () => {
    events.available(false);
    registry.tellWaiting();
  };
  const journal = new Journal({ database, stamps, reserve, brokerId, logger, onBroken });
  return new OpenFolder(parts, journal, lock);
}

/** Opens the file and reads it; nothing of a damaged one is used. */
async function openSound(path: string, read: (database: Database) => Promise<void>): Promise<Database> {
  let database: Database | undefined;
  try {
    checkFile(path);
    database = new Database(path);
    await read(database);
    return database;
  } catch (error) {
    await database?.close();
    if (!isDamage(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = "restore it from a backup, or move it away to begin with an empty store";
    throw new CannotStart(`the store ${path} is damaged: ${reason}; ${remedy}`, { cause: error });
  }
}

/** Brings the names in a folder to disk: a file that was just made could else be gone after a power cut. */
async function syncFolder(path: string): Promise<void> {
  // Not every system, and not every folder, allows it.
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
