/** The story of docs/writing-workers.md, played by a worker of any language through a recorder. */
import { onRedis } from "../faults/fault-test.ts";
import { until } from "../support/until.ts";
import { type Recorder, startRecorder } from "./recorder.ts";
import type { World } from "./world.ts";

export interface Chapter {
  /** The name of the block in the page. */
  readonly title: string;
  readonly needsRedis?: boolean;
  readonly play: (world: World) => Promise<readonly string[]>;
}

export const STORY: readonly Chapter[] = [
  {
    title: "a working day",
    play: async (world) => {
      const { address, said } = await recorder(world);
      const worker = await world.startWorker({ addresses: [address], shutdown: 0.2 });
      for (const type of ["echo", "third-time", "bury", "unheard-of"])
        await world.outcome(type, { payloads: ["6f6e65"], maxRetries: type === "unheard-of" ? 0 : 3 });
      const [taskId = ""] = await world.enqueue("hold");
      await worker.untilStarted(1);
      await worker.terminate();
      await untilSaid(said, "worker <- end");
      await world.untilState(taskId, "READY");
      return said;
    },
  },
  {
    title: "a task that takes too long",
    play: async (world) => {
      const { address, said } = await recorder(world);
      await world.startWorker({ addresses: [address], concurrency: 1 });
      await world.outcome("hold", { timeoutMs: 200, maxRetries: 0 });
      await untilSaid(said, "worker <- cancel");
      await world.outcome("echo", { payloads: ["6f6e65"] });
      await untilSaid(said, "worker <- settleResult");
      return said;
    },
  },
  {
    title: "a broken stream",
    play: async (world) => {
      const { address, said } = await recorder(world);
      const proxy = await world.startProxy(address);
      const worker = await world.startWorker({ addresses: [proxy.address], concurrency: 1 });
      const [taskId = ""] = await world.enqueue("hold");
      await worker.untilStarted(1);
      proxy.cut();
      await worker.untilConnected(2);
      worker.letGo();
      await world.end(taskId);
      await world.outcome("echo", { payloads: ["6f6e65"] });
      await untilSaid(said, "worker <- settleResult");
      return said;
    },
  },
  {
    title: "a broker that leaves",
    needsRedis: true,
    play: async (world) => {
      const redis = await world.startRedis();
      const [leaving, staying] = await Promise.all([
        world.startBroker(onRedis(redis)),
        world.startBroker(onRedis(redis)),
      ]);
      const said: string[] = [];
      const first = await recorder(world, { name: "first", target: leaving.address, said });
      const second = await recorder(world, { name: "second", target: staying.address, said });
      const worker = await world.startWorker({ addresses: [first.address, second.address] });
      await world.enqueue("hold", { address: leaving.address });
      await worker.untilStarted(1);
      leaving.beginToStop();
      await untilSaid(said, "second <- welcome");
      worker.letGo();
      await untilSaid(said, "first <- end");
      const [taskId = ""] = await world.enqueue("echo", { address: staying.address, payloads: ["6f6e65"] });
      await world.end(taskId, staying.address);
      await untilSaid(said, "second <- settleResult");
      return said;
    },
  },
];

function recorder(
  world: World,
  { name = "worker", target = world.address, said = [] as string[] } = {},
): Promise<Recorder> {
  return world.use(startRecorder(name, target, said), async (started) => started.close());
}

async function untilSaid(said: readonly string[], line: string): Promise<void> {
  await until(
    () => `${line} is said, after\n${said.join("\n")}`,
    () => said.includes(line),
  );
}
