/** Shares one answer among all who ask within `forMs`, however many they are. A failure is for those who asked, not for the next. */
export function fresh<T>(forMs: number, take: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let takenAtMs = 0;
  return () => {
    const nowMs = performance.now();
    if (latest && nowMs - takenAtMs < forMs) return latest;
    takenAtMs = nowMs;
    const taken = take();
    latest = taken;
    taken.catch(() => {
      if (latest === taken) latest = undefined;
    });
    return taken;
  };
}
