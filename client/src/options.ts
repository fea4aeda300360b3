import { parseAddress } from "./connection/index.ts";

/** How to reach the brokers, and the defaults of all calls. */
export interface ClientOptions {
  /** `host:port` of a broker, or of several that share one store: when one is down or stopping, the next is used. */
  readonly address: string | readonly string[];
  /**
   * How long a call may take, in ms, retries included, unless the call says otherwise. `Infinity`: for ever.
   * @defaultValue 30,000
   */
  readonly deadlineMs?: number;
  /**
   * How many bytes of tasks may wait in this process for the broker. Beyond that `enqueue` fails with `ResourceExhausted`,
   * and `enqueueMany` takes no further tasks from its input for the time being.
   * @defaultValue 64 MiB
   */
  readonly maxBufferedBytes?: number;
}

/** How long one call may take, and how to give it up. */
export interface CallOptions {
  /**
   * How long to try, in ms, retries included. `Infinity`: for ever.
   * @defaultValue `deadlineMs` of the client
   */
  readonly deadlineMs?: number | undefined;
  /** Gives the call up when it is aborted. What was already sent to a broker may still be done. */
  readonly signal?: AbortSignal | undefined;
}

/** `CallOptions` with nothing left out. */
export interface CompleteCallOptions {
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** `ClientOptions` with nothing left out. */
export interface CompleteClientOptions {
  readonly addresses: readonly string[];
  readonly deadlineMs: number;
  readonly maxBufferedBytes: number;
}

/** Fills in the defaults; throws a TypeError that names an option that makes no sense. */
export function completeClientOptions({
  address,
  deadlineMs = 30_000,
  maxBufferedBytes = 64 * 1024 * 1024,
}: ClientOptions): CompleteClientOptions {
  const addresses = (Array.isArray(address) ? address : [address]).map(parseAddress);
  if (addresses.length === 0) throw new TypeError("address must name at least one broker");
  return {
    addresses: [...new Set(addresses)],
    deadlineMs: positive("deadlineMs", deadlineMs),
    maxBufferedBytes: positive("maxBufferedBytes", maxBufferedBytes),
  };
}

/** Fills in the defaults of the client; throws a TypeError that names an option that makes no sense. */
export function completeCallOptions(
  { deadlineMs, signal }: CallOptions,
  defaults: CompleteClientOptions,
): CompleteCallOptions {
  return {
    deadlineMs: deadlineMs === undefined ? defaults.deadlineMs : positive("deadlineMs", deadlineMs),
    signal,
  };
}

/** Checks a number that must be above 0; Infinity is. Throws a TypeError that names it. */
export function positive(name: string, value: number): number {
  if (!(value > 0)) throw new TypeError(`${name} is ${value}: it must be above 0`);
  return value;
}
