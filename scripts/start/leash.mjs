/**
 * Loaded into every process that `npm start` starts: ends it, in good order, when `npm start` itself was killed and could not
 * do so. Plain JavaScript, because the broker is run without a loader.
 */
import process from "node:process";

process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// The leash alone keeps no process alive.
process.channel?.unref();
