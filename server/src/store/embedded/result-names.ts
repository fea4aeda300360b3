/** The records of the index of results, one for each commit. */

/** A result record, as the index names it. */
export interface ResultName {
  readonly name: string;
  /** How many results it has. */
  readonly count: number;
}

/** A record of the index: those results that came with one commit. For each the count, the length of the name, the name. */
export function encodeResultNames(names: readonly ResultName[]): Buffer {
  const bytes = Buffer.allocUnsafe(names.reduce((sum, { name }) => sum + 2 + name.length, 0));
  let at = 0;
  for (const { name, count } of names) {
    bytes[at++] = count;
    bytes[at++] = name.length;
    at += bytes.write(name, at, "latin1");
  }
  return bytes;
}

/** What `encodeResultNames` wrote. */
export function decodeResultNames(bytes: Buffer): ResultName[] {
  const names: ResultName[] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = bytes[at] ?? 0;
    const end = at + 2 + (bytes[at + 1] ?? 0);
    names.push({ count, name: bytes.toString("latin1", at + 2, end) });
    at = end;
  }
  return names;
}
