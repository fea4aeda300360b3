/** What the READMEs show is true: the tour with grpcurl against a real broker, the TypeScript, the links. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";

const root = join(import.meta.dirname, "../..");
const PAGES = ["README.md", "client/README.md", "worker-sdk/README.md"];
const LINKING = ["docs/writing-workers.md", "client/examples/python/README.md", "client/examples/go/README.md"];
const EXAMPLES = ["client/examples", "worker-sdk/examples", "worker-sdk/examples/handlers"];
const DEFAULT_ADDRESS = /(localhost|127\.0\.0\.1):50051/g;

function snippets(page: string, language: string): string[] {
  const blocks = read(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
  return [...blocks].map(([, code = ""]) => code);
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

const tool = spawnSync("grpcurl", ["--version"]).error ? "buf" : "grpcurl";

describe(`the tour with grpcurl, taken with ${tool}`, () => {
  const lines = snippets("README.md", "sh")
    .flatMap((code) => code.split("\n"))
    .filter((line) => line.startsWith("grpcurl "));
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

  async function call(line: string): Promise<string> {
    const command = (tool === "grpcurl" ? line : asBuf(line)).replace(DEFAULT_ADDRESS, broker.address);
    const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"]}` };
    const { stdout } = await promisify(execFile)("sh", ["-c", command], { cwd: root, env });
    return stdout;
  }

  test("has four calls", () => {
    expect(lines).toHaveLength(4);
  });

  test.for(lines)("%s", async (line) => {
    const answer = await call(line);

    if (line.endsWith("list")) expect(answer).toMatch(/taskwire\.v1\.TaskService[\s\S]*taskwire\.v1\.WorkerService/);
    else if (line.includes("describe")) expect(answer).toMatch(/TaskService[\s\S]*Enqueue[\s\S]*GetTask/);
    else if (line.includes("Enqueue")) expect(answer).toMatch(/"OUTCOME_CREATED"[\s\S]*"DURABILITY_FSYNC"/);
    else expect(answer.match(/"time"/g)).toHaveLength(2);
  });

  test("shows the fields that an answer has", async () => {
    const line = lines.find((one) => one.includes("Enqueue")) ?? "";
    const shown = JSON.parse(snippets("README.md", "json")[0] ?? "");

    const answer = JSON.parse(await call(line));

    expect(answer).toMatchObject({ ...shown, taskId: expect.stringMatching(/^[0-9A-Z]{31}$/) });
    expect(Object.keys(answer)).toEqual(Object.keys(shown));
  });
});

/** What comes nearest to the line with buf, which the repository brings along. */
function asBuf(line: string): string {
  const curl = "buf curl --protocol grpc --http2-prior-knowledge";
  const [, data, address, rest = ""] = /^grpcurl -plaintext (?:-d ('.*?') )?(\S+) (.*)$/.exec(line) ?? [];
  if (rest === "list") return `${curl} --list-services http://${address}`;
  if (rest.startsWith("describe ")) return `${curl} --list-methods http://${address}`;
  return `${curl} -d ${data} http://${address}/${rest}`;
}

describe.for(PAGES)("%s", (page) => {
  // examples.test.ts runs them.
  test("shows examples as they are, below the comment that they begin with", () => {
    const examples = EXAMPLES.flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((file) => file.endsWith(".ts"))
        .map((file) => read(`${folder}/${file}`).replace(/^\/\*\*[\s\S]*?\*\/\n/, "")),
    );
    const shown = snippets(page, "ts");

    expect(shown.length).toBeGreaterThan(0);
    for (const code of shown) expect(examples).toContain(code);
  });
});

describe.for([...PAGES, ...LINKING])("%s", (page) => {
  test("has links that lead somewhere", () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !link.startsWith("http") && !existsSync(join(root, dirname(page), link)));

    expect(broken).toEqual([]);
  });
});
