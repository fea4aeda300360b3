/** A list with two cheap ends, in a ring that doubles when it is full. */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array(16);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The nth item from the front. */
  at(n: number): T | undefined {
    return n < this.#size ? this.#ring[this.#slot(n)] : undefined;
  }

  push(item: T): void {
    this.#makeRoom();
    this.#ring[this.#slot(this.#size++)] = item;
  }

  unshift(item: T): void {
    this.#makeRoom();
    this.#head = this.#slot(this.#ring.length - 1);
    this.#ring[this.#head] = item;
    this.#size++;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#slot(1);
    this.#size--;
    return item;
  }

  /** The length of the ring is a power of 2. */
  #slot(n: number): number {
    return (this.#head + n) & (this.#ring.length - 1);
  }

  #makeRoom(): void {
    if (this.#size < this.#ring.length) return;
    const items = Array.from({ length: this.#size }, (_, n) => this.at(n));
    this.#ring = items.concat(new Array(this.#size));
    this.#head = 0;
  }
}
