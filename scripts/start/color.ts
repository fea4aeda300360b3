import picocolors from "picocolors";

/** Colours on a terminal only. By itself the library also colours wherever CI is set, and then what is piped has codes in it. */
export const color = picocolors.createColors(picocolors.isColorSupported && process.stdout.isTTY === true);
