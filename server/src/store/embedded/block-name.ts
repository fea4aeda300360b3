/** A block's name on disk: its key, and what the line must know of it, so that opening a store need not look inside. */
import { BLOCK_KEY_LENGTH } from "../../domain/ids.ts";

const COUNT_AT = BLOCK_KEY_LENGTH;
const FLAGS_AT = COUNT_AT + 1;
const RUN_AT_AT = FLAGS_AT + 1;
/** The length of the name of a block that was not scheduled. */
export const BLOCK_NAME_LENGTH = RUN_AT_AT;
const RUN_AT_LENGTH = 6;
const HAS_OPTIONS = 1;
const WAS_SCHEDULED = 2;

export interface BlockName {
  readonly key: string;
  readonly count: number;
  /** Whether its tasks have options other than the defaults. */
  readonly hasOptions: boolean;
  /** When all of its tasks are, or were, due; 0 if they were ready from the start. */
  readonly runAtMs: number;
}

export function blockDiskName({ key, count, hasOptions, runAtMs }: BlockName): string {
  const flags = (hasOptions ? HAS_OPTIONS : 0) + (runAtMs > 0 ? WAS_SCHEDULED : 0);
  const name = key + String.fromCharCode(count, flags);
  return runAtMs > 0 ? name + encodeTime(runAtMs) : name;
}

export function parseBlockName(name: string): BlockName {
  const flags = name.charCodeAt(FLAGS_AT);
  return {
    key: name.slice(0, COUNT_AT),
    count: name.charCodeAt(COUNT_AT),
    hasOptions: (flags & HAS_OPTIONS) !== 0,
    runAtMs: (flags & WAS_SCHEDULED) !== 0 ? decodeTime(name.slice(RUN_AT_AT, RUN_AT_AT + RUN_AT_LENGTH)) : 0,
  };
}

function encodeTime(ms: number): string {
  const bytes = Buffer.allocUnsafe(RUN_AT_LENGTH);
  bytes.writeUIntBE(ms, 0, RUN_AT_LENGTH);
  return bytes.toString("latin1");
}

function decodeTime(text: string): number {
  return Buffer.from(text, "latin1").readUIntBE(0, RUN_AT_LENGTH);
}
