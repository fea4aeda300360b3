import { BLOCK_KEY_LENGTH, keyIndex, MAX_BLOCK_TASKS } from "../../domain/ids.ts";

/** Block and index of a key made by a store; undefined for any other text. */
export function parseKey(key: string): { readonly block: string; readonly index: number } | undefined {
  if (key.startsWith("=") || key.length !== BLOCK_KEY_LENGTH + 2) return undefined;
  const index = keyIndex(key);
  return index < MAX_BLOCK_TASKS ? { block: key.slice(0, BLOCK_KEY_LENGTH), index } : undefined;
}
