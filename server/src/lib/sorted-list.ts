/**
 * Items in order, in chunks: to add at an end, and to take the first, costs next to nothing; to add or delete anywhere costs a
 * search and the moving of one chunk. It can be read from any place, in both directions, which a heap cannot.
 */
const CHUNK = 512;

export class SortedList<T> {
  /** None is empty. */
  readonly #chunks: T[][] = [];
  readonly #compare: (a: T, b: T) => number;
  #size = 0;

  /** @param compare negative when `a` comes before `b`; 0 only for the same item */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  last(): T | undefined {
    return this.#chunks.at(-1)?.at(-1);
  }

  add(item: T): void {
    this.#size++;
    const last = this.last();
    if (last === undefined || this.#compare(last, item) < 0) this.#append(item);
    else this.#insert(item);
  }

  #append(item: T): void {
    const chunk = this.#chunks.at(-1);
    if (chunk && chunk.length < CHUNK) chunk.push(item);
    else this.#chunks.push([item]);
  }

  #insert(item: T): void {
    const { chunk, at } = this.#find((other) => this.#compare(other, item) < 0);
    const items = this.#chunks[chunk] ?? [];
    items.splice(at, 0, item);
    if (items.length > CHUNK) this.#chunks.splice(chunk + 1, 0, items.splice(CHUNK / 2));
  }

  /** Takes the item out; false when it is not there. */
  delete(item: T): boolean {
    const { chunk, at } = this.#find((other) => this.#compare(other, item) < 0);
    const items = this.#chunks[chunk];
    const found = items?.[at];
    if (!items || found === undefined || this.#compare(found, item) !== 0) return false;
    this.#take(items, chunk, at);
    return true;
  }

  /** Takes the first out. */
  shift(): T | undefined {
    const [items] = this.#chunks;
    const first = items?.[0];
    if (items) this.#take(items, 0, 0);
    return first;
  }

  #take(items: T[], chunk: number, at: number): void {
    this.#size--;
    if (at === 0) items.shift();
    else items.splice(at, 1);
    if (items.length === 0) this.#chunks.splice(chunk, 1);
  }

  /** The first item that is not below. @param isBelow true of all up to some place, false of all behind it */
  firstFrom(isBelow: (item: T) => boolean): T | undefined {
    const { chunk, at } = this.#find(isBelow);
    return this.#chunks[chunk]?.[at];
  }

  /** The items in order. The list must not be changed meanwhile. */
  *up(): Generator<T> {
    for (const items of this.#chunks) yield* items;
  }

  /** Those that are below, the last first. The list must not be changed meanwhile. */
  *down(isBelow: (item: T) => boolean): Generator<T> {
    const { chunk, at } = this.#find(isBelow);
    for (let of = chunk; of >= 0; of--) {
      const items = this.#chunks[of] ?? [];
      for (let i = of === chunk ? at - 1 : items.length - 1; i >= 0; i--) {
        const item = items[i];
        if (item !== undefined) yield item;
      }
    }
  }

  /** Where the first item stands that is not below; behind the last when all are. */
  #find(isBelow: (item: T) => boolean): { readonly chunk: number; readonly at: number } {
    const chunk = firstIndex(this.#chunks, (items) => {
      const last = items.at(-1);
      return last !== undefined && isBelow(last);
    });
    return { chunk, at: firstIndex(this.#chunks[chunk] ?? [], isBelow) };
  }
}

function firstIndex<T>(items: readonly T[], isBelow: (item: T) => boolean): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = items[middle];
    if (item !== undefined && isBelow(item)) from = middle + 1;
    else to = middle;
  }
  return from;
}
