import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/** The root logger: JSON lines, or coloured text when standard output is a terminal. */
export function createLogger(level: string, isTerminal: boolean): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return isTerminal ? pino(options, pretty({ colorize: true, ignore: "pid,hostname" })) : pino(options);
}
