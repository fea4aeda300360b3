/** A table; pipes in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}

/** Says under the title of a page where its text comes from. */
export function generatedFrom(source: string): string {
  return `<!-- Made from ${source} by \`npm run docs\`; change it there. -->\n`;
}

/** 86400000 ms → "24 h", 1048576 bytes → "1 MiB", when the name ends in the unit; else the number with its thousands apart. */
export function quantity(name: string, value: number): string {
  if (name.endsWith("Ms")) return inUnits(value, DURATIONS);
  if (name.endsWith("Bytes")) return inUnits(value, SIZES);
  return value.toLocaleString("en");
}

const DURATIONS = [
  ["d", 24 * 60 * 60 * 1_000],
  ["h", 60 * 60 * 1_000],
  ["min", 60 * 1_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

const SIZES = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["bytes", 1],
] as const;

function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  // A day is said as 24 h: only more than one is said in days.
  const fits = units.find(([unit, size]) => value % size === 0 && value >= (unit === "d" ? 2 * size : size));
  const [unit, size] = fits ?? [units.at(-1)?.[0] ?? "", 1];
  return `${(value / size).toLocaleString("en")} ${unit}`;
}
