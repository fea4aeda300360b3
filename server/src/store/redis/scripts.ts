/** All scripts by name. */
import { loadScript } from "./script.ts";

export const SCRIPTS = {
  enqueue: loadScript("enqueue"),
  settle: loadScript("settle"),
  promote: loadScript("promote"),
  find: loadScript("find"),
  inspect: loadScript("inspect"),
  stats: loadScript("stats"),
  await: loadScript("await"),
  announceEnded: loadScript("announce-ended"),
  dropResults: loadScript("drop-results"),
  registerQueue: loadScript("register-queue"),
  renew: loadScript("renew"),
  fence: loadScript("fence"),
  putWorkers: loadScript("put-workers"),
  workers: loadScript("workers"),
} as const;
