/** Writes a protobuf varint; returns where it ends. `value` is a whole number below 2^53. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[end++] = (rest % 0x80) | 0x80;
  buffer[end++] = rest;
  return end;
}

/** How many bytes `writeVarint` takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
