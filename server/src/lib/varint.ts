/** Unsigned varints as protobuf writes them, up to 2^53. */

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes `value` at `at`; returns the place after it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  let place = at;
  while (rest > 127) {
    into[place++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  into[place++] = rest;
  return place;
}

/** Reads varints one after the other. `at` is the next place; `value` is NaN after a varint that is cut or too long. */
export class VarintReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    const first = this.#bytes[this.at];
    if (first !== undefined && first < 128) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) return Number.NaN;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN;
  }
}
