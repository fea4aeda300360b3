/** Milliseconds on the system's monotonic clock, which all processes of one machine read alike. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Microseconds of CPU that this process has used, in user and system mode. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
