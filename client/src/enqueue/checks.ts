import { inspect } from "node:util";

/** Checks a string; what is left out is empty. Throws a TypeError that names it. */
export function text(name: string, value = ""): string {
  if (typeof value !== "string") throw new TypeError(`${name} is ${inspect(value)}: it must be a string`);
  return value;
}

/** Checks what the contract could not carry at all, and throws a TypeError that names it; narrower bounds are the broker's. */
export function whole(name: string, value: number, { min, max }: { min: number; max: number }): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TypeError(`${name} is ${inspect(value)}: it must be a whole number from ${min} to ${max}`);
  return value;
}
