/** A block's name on disk: its key, and what the line must know of it, so that opening a store need not look inside. */
import { BLOCK_KEY_LENGTH } from "../../domain/ids.ts";

const COUNT_AT = BLOCK_KEY_LENGTH;
const FLAGS_AT = COUNT_AT + 1;
export const BLOCK_NAME_LENGTH = FLAGS_AT + 1;
const HAS_OPTIONS = 1;

export interface BlockName {
  readonly key: string;
  readonly count: number;
  /** Whether its tasks have options other than the defaults. */
  readonly hasOptions: boolean;
}

export function blockDiskName({ key, count, hasOptions }: BlockName): string {
  return key + String.fromCharCode(count, hasOptions ? HAS_OPTIONS : 0);
}

export function parseBlockName(name: string): BlockName {
  const flags = name.charCodeAt(FLAGS_AT);
  return { key: name.slice(0, COUNT_AT), count: name.charCodeAt(COUNT_AT), hasOptions: (flags & HAS_OPTIONS) !== 0 };
}
