import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const DISK = "24m";

/** A small disk of one's own is made in a mount namespace, which not every system allows. */
const canMount = spawnSync("unshare", ["--map-root-user", "--mount", "true"]).status === 0;

test.skipIf(!canMount && process.env["CI"] !== "true")(
  "an embedded store on a full disk refuses new tasks whole, and still lets workers settle theirs",
  async ({ onTestFinished }) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-full-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const program = fileURLToPath(new URL("embedded-full.ts", import.meta.url));
    const node = `'${process.execPath}' --conditions=source --import tsx '${program}' '${dir}/data'`;
    const mountAndRun = `mount -t tmpfs -o size=${DISK} tmpfs '${dir}' && exec ${node}`;

    const child = spawn("unshare", ["--map-root-user", "--mount", "bash", "-c", mountAndRun], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    // The program prints one object of this form.
    const told = (await json(child.stdout)) as Record<string, unknown> & { accepted: number };

    const { accepted } = told;
    expect(accepted).toBeGreaterThan(1_000);
    const half = accepted / 2;
    expect(told).toEqual({
      refusal: "STORE_FULL",
      accepted,
      counted: accepted,
      settled: half,
      enqueued: accepted,
      completed: half,
      left: half,
    });
  },
);
