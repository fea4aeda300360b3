/** Every way in which a person, or what runs this for a person, says that it shall end. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const PARENT_CHECK_MS = 500;
/** What a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Resolves with what happened. A second signal ends this process at once, and its children with it. */
export function untilStopAsked(): Promise<string> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (++signals > 1) process.exit(INTERRUPTED);
        resolve(signal);
      });
    }
    // Such as `npm start | head`, or a terminal that was closed.
    process.stdout.on("error", () => resolve("the end of its output"));
    // Between npm and us stands a shell, which hands no signal on when it is ended itself.
    if (process.env["npm_lifecycle_event"]) watchParent(() => resolve("the end of npm"));
  });
}

function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_CHECK_MS);
  timer.unref();
}
