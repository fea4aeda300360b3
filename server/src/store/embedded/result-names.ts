/** The records of the index of results, one for each commit. */

/** A result record, as the index names it. */
export interface ResultName {
  readonly name: string;
  /** How many results it has. */
  readonly count: number;
  /** Whether any of them is of a task that was completed, or cancelled: a list of one kind need not read those of the other. */
  readonly hasCompleted: boolean;
  readonly hasCancelled: boolean;
}

const HAS_COMPLETED = 1;
const HAS_CANCELLED = 2;

/** A record of the index: those results that came with one commit. For each the count, flags, the length of the name, the name. */
export function encodeResultNames(names: readonly ResultName[]): Buffer {
  const bytes = Buffer.allocUnsafe(names.reduce((sum, { name }) => sum + 3 + name.length, 0));
  let at = 0;
  for (const { name, count, hasCompleted, hasCancelled } of names) {
    bytes[at++] = count;
    bytes[at++] = (hasCompleted ? HAS_COMPLETED : 0) + (hasCancelled ? HAS_CANCELLED : 0);
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
    const flags = bytes[at + 1] ?? 0;
    const end = at + 3 + (bytes[at + 2] ?? 0);
    const name = bytes.toString("latin1", at + 3, end);
    names.push({
      name,
      count,
      hasCompleted: (flags & HAS_COMPLETED) !== 0,
      hasCancelled: (flags & HAS_CANCELLED) !== 0,
    });
    at = end;
  }
  return names;
}
