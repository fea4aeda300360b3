/** Wire types of protobuf that are still in use. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Walks over protobuf bytes. Throws a RangeError where they are cut or make no sense. */
export class Cursor {
  /** The next byte to read. */
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** An unsigned number up to 2^53. */
  varint(): number {
    const first = this.#bytes[this.at];
    if (first !== undefined && first < 128) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) break;
      value += (byte % 128) * scale;
      if (byte < 128 && value <= Number.MAX_SAFE_INTEGER) return value;
    }
    throw new RangeError("a number in a frame is cut or too large");
  }

  /** Reads a length and returns the place behind the bytes that it announces, which must not be behind `end`. */
  spanEnd(end: number): number {
    const length = this.varint();
    if (this.at + length > end) throw new RangeError("a field in a frame is longer than the frame");
    return this.at + length;
  }

  /** Steps over the value of a field that is not known here. */
  skip(wireType: number, end: number): void {
    if (wireType === LENGTH_DELIMITED) this.at = this.spanEnd(end);
    else if (wireType === FIXED64) this.at += 8;
    else if (wireType === FIXED32) this.at += 4;
    else if (wireType === VARINT) this.#skipVarint();
    else throw new RangeError(`a frame has a field of the unknown wire type ${wireType}`);
    if (this.at > end) throw new RangeError("a frame is cut");
  }

  /** A negative number takes ten bytes and does not fit in 2^53: it can be stepped over all the same. */
  #skipVarint(): void {
    while ((this.#bytes[this.at] ?? 0) > 127) this.at++;
    this.at++;
  }
}

/** How many bytes a varint takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a varint at `at`; returns the place after it. */
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
