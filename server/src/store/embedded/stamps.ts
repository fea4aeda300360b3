/** Orders what a store accepts: a stamp is time and sequence, as a block's key begins (see domain/ids.ts). */
import { base32, newNonce, parseBlockKey } from "../../domain/ids.ts";

export const STAMP_LENGTH = 14;
const SEQUENCES = 32 ** 4;

export class Stamps {
  #timeMs = 0;
  #timeText = base32(0, 10);
  #sequence = 0;

  /** The latest stamp. */
  get last(): string {
    return this.#timeText + base32(this.#sequence, 4);
  }

  /** Goes on after `stamp`, which is on disk, even if the clock is behind it. */
  goOnAfter(stamp: string): void {
    if (stamp <= this.last) return;
    const { timeMs, sequence } = parseBlockKey(stamp.padEnd(20, "0")) ?? { timeMs: 0, sequence: 0 };
    this.#setTime(timeMs);
    this.#sequence = sequence;
  }

  /** A stamp after all others. */
  next(nowMs: number): string {
    if (nowMs > this.#timeMs) this.#setTime(nowMs);
    else this.#sequence++;
    if (this.#sequence === SEQUENCES) this.#setTime(this.#timeMs + 1);
    return this.last;
  }

  nextBlockKey(nowMs: number): string {
    return this.next(nowMs) + newNonce();
  }

  #setTime(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#timeText = base32(timeMs, 10);
    this.#sequence = 0;
  }
}
