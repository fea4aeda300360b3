/** Every snippet of the README does what it says, against a real broker. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { FROM_SOURCE, startProgram } from "../support/program.ts";

const root = join(import.meta.dirname, "../..");
const readme = await readFile(join(root, "README.md"), "utf8");
const DEFAULT_ADDRESS = /(localhost|127\.0\.0\.1):50051/g;

function snippets(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, code = ""]) => code);
}

const grpcurlLines = snippets("sh")
  .flatMap((code) => code.split("\n"))
  .filter((line) => line.startsWith("grpcurl "));
const hasGrpcurl = spawnSync("grpcurl", ["--version"]).error === undefined;

let broker: BrokerProcess;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "taskwire-readme-"));
  broker = await startBroker({ dataDir });
});
afterAll(async () => {
  await broker.kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function shell(command: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` };
  const { stdout } = await promisify(execFile)("sh", ["-c", command.replace(DEFAULT_ADDRESS, broker.address)], {
    cwd: root,
    env,
  });
  return stdout;
}

/** The same call by buf, which the repository brings along; undefined where buf has no such command. */
function asBuf(line: string): string | undefined {
  const call = /-d ('.*?') (\S+) (\S+)$/.exec(line);
  if (call) return `buf curl --protocol grpc --http2-prior-knowledge -d ${call[1]} http://${call[2]}/${call[3]}`;
  const list = /-plaintext (\S+) list$/.exec(line);
  return list ? `buf curl --protocol grpc --http2-prior-knowledge --list-services http://${list[1]}` : undefined;
}

describe("the tour with grpcurl", () => {
  test("has the four calls", () => {
    expect(grpcurlLines).toHaveLength(4);
  });

  test.for(grpcurlLines.filter((line) => hasGrpcurl || asBuf(line) !== undefined))("%s", async (line) => {
    const answer = await shell(hasGrpcurl ? line : (asBuf(line) ?? ""));

    if (line.endsWith("list")) expect(answer).toMatch(/taskwire\.v1\.TaskService[\s\S]*taskwire\.v1\.WorkerService/);
    else if (line.includes("describe")) expect(answer).toContain("Adds one task.");
    else if (line.includes("Enqueue")) expect(answer).toMatch(/"OUTCOME_CREATED"[\s\S]*"DURABILITY_FSYNC"/);
    else expect(answer.match(/"time"/g)).toHaveLength(2);
  });

  test("shows the fields that an answer has", async () => {
    const line = grpcurlLines.find((one) => one.includes("Enqueue")) ?? "";
    const shown = JSON.parse(snippets("json")[0] ?? "");

    const answer = JSON.parse(await shell(asBuf(line) ?? ""));

    expect(answer).toMatchObject({ ...shown, taskId: expect.stringMatching(/^[0-9A-Z]{31}$/) });
  });
});

describe("the TypeScript", () => {
  test("of the worker and of the producer work together", async () => {
    const [worker = "", producer = ""] = snippets("ts");
    // Inside the repository, so that the packages are found.
    const dir = await mkdtemp(join(root, "test/examples/.readme-"));
    const file = async (name: string, code: string) => {
      await writeFile(join(dir, name), code.replace(DEFAULT_ADDRESS, broker.address));
      return join(dir, name);
    };
    try {
      const running = startProgram([...FROM_SOURCE, await file("worker.mts", worker)]);
      const producing = startProgram([...FROM_SOURCE, await file("producer.mts", producer)]);

      expect(await producing.ended, producing.output()).toBe(0);
      expect(producing.output().trim()).toBe("Hello, Ada!");
      expect(await running.terminate()).toBe(0);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

test("the links of the README lead somewhere", async () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !link.startsWith("http"));
  for (const link of links) expect(spawnSync("test", ["-e", join(root, link)]).status, link).toBe(0);
});
