/** The name of every key. README.md says what each holds. */
import type { Script } from "./script.ts";

export type Keys = Readonly<Record<string, string>>;

/** The keys of one queue. All share a hash tag, so that a script touches one slot of a Cluster. */
export function queueKeys(namespace: string, queue: string, broker: string): Keys {
  const prefix = `{${namespace}:${queue}:0}`;
  return {
    line: `${prefix}b`,
    back: `${prefix}back`,
    prio: `${prefix}prio`,
    due: `${prefix}due`,
    dead: `${prefix}dead`,
    alone: `${prefix}alone`,
    state: `${prefix}state`,
    left: `${prefix}left`,
    gone: `${prefix}gone`,
    groups: `${prefix}groups`,
    grouped: `${prefix}grouped`,
    ended: `${prefix}ended`,
    count: `${prefix}count`,
    leases: `${prefix}leases:${broker}`,
    buckets: `${prefix}buckets`,
    // These are prefixes: the scripts add the number of a bucket, or the id of a producer or a broker.
    results: `${prefix}results:`,
    producers: `${prefix}producer:`,
    leases_of: `${prefix}leases:`,
    waiters: `${prefix}waiters`,
  };
}

/** The keys that belong to no queue. */
export function globalKeys(namespace: string): Keys {
  const prefix = `{${namespace}}`;
  return {
    queues: `${prefix}queues`,
    brokers: `${prefix}brokers`,
    fenced: `${prefix}fenced`,
    workers: `${prefix}workers`,
    workers_until: `${prefix}workers-until`,
    // A prefix, too: the number of a slot is added.
    samples: `${prefix}samples:`,
  };
}

/** The one channel on which brokers wake each other. */
export function channelName(namespace: string): string {
  return `${namespace}:wake`;
}

/** The keys that a script declares, in its order. */
export function keysOf(script: Script, keys: Keys): readonly string[] {
  return script.keys.map((name) => {
    const key = keys[name];
    if (key === undefined) throw new Error(`script ${script.name} wants an unknown key: ${name}`);
    return key;
  });
}
