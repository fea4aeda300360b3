/** What the broker says to settings that it does not take: it leaves with 2 and a sentence. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(flags: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TASKWIRE_")));
  const child = spawn(process.execPath, [PROGRAM, ...flags], {
    env: { ...env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, stdout, stderr };
}

describe("a broker that is started", () => {
  test.for([
    [["--nope"], "--nope is not a setting of the broker; see --help"],
    [["--data-dri", "x"], "--data-dri is not a setting of the broker, did you mean --data-dir? See --help"],
    [["--max-lost"], "option '--max-lost <value>' argument missing; see --help"],
    [["redis"], "too many arguments. Expected 0 arguments but got 1; see --help"],
    [["--max-lost", "many"], '--max-lost is "many"'],
    [["--http-listen", "here"], '--http-listen is "here": must be host:port, such as 127.0.0.1:8080, or off'],
    [["--http-listen", "0.0.0.0:8080"], "TASKWIRE_HTTP_LISTEN is 0.0.0.0, which others can reach, without encryption"],
    [["--grpc-listen", "[::]:50051"], "TASKWIRE_GRPC_LISTEN is ::, which others can reach, without encryption"],
    [["--http-allowed-hosts", "http://a.example"], "must be names of hosts without ports"],
  ] as const)("with %j leaves with 2 and says why", async ([flags, sentence]) => {
    const { code, stdout, stderr } = await run(flags);

    expect(stderr).toContain(sentence);
    expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, stdout: "", lines: 1 });
  });

  test("with settings of the environment that it does not know leaves with 2 and names all", async () => {
    const { code, stderr } = await run([], { TASKWIRE_REDIS_ULR: "redis://x", TASKWIRE_NOPE: "1" });

    expect(stderr).toContain("TASKWIRE_REDIS_ULR is not a setting of the broker, did you mean TASKWIRE_REDIS_URL?");
    expect(stderr).toContain("TASKWIRE_NOPE is not a setting of the broker; see --help");
    expect(code).toBe(2);
  });

  test("with --help tells its settings, and leaves with 0", async () => {
    const { code, stdout, stderr } = await run(["--help"]);

    expect(stdout).toContain("--require-durability <value>");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
