/**
 * A broker, a worker and a producer, each a process of its own, and a live picture of 110 tasks on their way through
 * them: `npm start`. With `--once` it leaves at the end and says by its exit code whether all went well.
 */
import { type Options, readOptions } from "./start/options.ts";
import { whyNotFree } from "./start/port.ts";
import { Processes } from "./start/processes.ts";
import { openScreen } from "./start/screen.ts";
import { untilStopAsked } from "./start/stop-signals.ts";
import { dashboardLine, INTRODUCTION, summarize, whatNext } from "./start/summary.ts";
import { Workload } from "./start/workload.ts";

const options = readOptions(process.argv.slice(2));
if ("text" in options) {
  (options.exitCode === 0 ? process.stdout : process.stderr).write(options.text);
  process.exit(options.exitCode);
}
const problem = await run(options);
if (problem) process.stderr.write(`\n${problem}\n`);
process.exit(problem ? 1 : 0);

/** Resolves when every process has ended; with a sentence when something went wrong. */
async function run(options: Options): Promise<string | undefined> {
  const taken = await whyNotFree(options.grpcListen);
  if (taken) return `${taken}\nStop it, or choose another: npm start -- --grpc-listen 127.0.0.1:50052`;
  const httpTaken = await whyNotFree(options.httpListen);
  if (httpTaken) return `${httpTaken}\nStop it, or choose another: npm start -- --http-listen 127.0.0.1:8081`;

  const stopAsked = untilStopAsked();
  const processes = new Processes(options);
  const screen = openScreen(process.stdout);
  const demonstrate = async () => {
    screen.say(INTRODUCTION);
    const workload = new Workload(processes);
    const scene = await workload.start();
    screen.say(dashboardLine(scene.addresses));
    screen.show(scene);
    const verdict = await workload.ended();
    if (verdict.kind === "bad") return verdict.reason;
    const summary = summarize(scene.progress, Date.now() - scene.startedAt);
    if (options.once) {
      screen.stop();
      screen.say(`\n${summary}`);
      return undefined;
    }
    screen.say(`\n${summary}\n${whatNext(scene.addresses)}`);
    // Until somebody stops it.
    return new Promise<undefined>(() => {});
  };

  const problem = await Promise.race([
    demonstrate(),
    processes.crashed,
    stopAsked.then((cause) => (options.once ? `stopped by ${cause} before all tasks had ended` : undefined)),
  ]);
  screen.stop();
  if (!options.once) screen.say("\nStopping producer, worker and broker ...");
  await processes.stop();
  return problem;
}
