import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/** What of an error is logged. Not its other fields: a driver's error has its command, with passwords and payloads. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = "code" in error ? { code: error.code } : {};
  return { type: name, message, ...code, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}

/** The root logger: JSON lines, or coloured text when standard output is a terminal. */
export function createLogger(level: string, isTerminal: boolean): Logger {
  const serializers = { err: describeError };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers };
  return isTerminal ? pino(options, pretty({ colorize: true, ignore: "pid,hostname" })) : pino(options);
}
