/** What the READMEs show is true: the tour with grpcurl against a real broker, the TypeScript, the links. */
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "../support/broker.ts";
import { callsOf, grpcTool, ROOT, read, snippets, take } from "../support/shell.ts";

const PAGES = ["README.md", "client/README.md", "worker-sdk/README.md"];
const LINKING = ["client/examples/python/README.md", "client/examples/go/README.md"];
const DOCS = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`);
const EXAMPLES = ["client/examples", "worker-sdk/examples", "worker-sdk/examples/handlers"];

describe(`the tour with grpcurl, taken with ${grpcTool}`, () => {
  const lines = callsOf("README.md", "grpcurl");
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

  test("has four calls", () => {
    expect(lines).toHaveLength(4);
  });

  test.for(lines)("%s", async (line) => {
    const answer = await take(line, broker);

    if (line.endsWith("list")) expect(answer).toMatch(/taskwire\.v1\.TaskService[\s\S]*taskwire\.v1\.WorkerService/);
    else if (line.includes("describe")) expect(answer).toMatch(/TaskService[\s\S]*Enqueue[\s\S]*GetTask/);
    else if (line.includes("Enqueue")) expect(answer).toMatch(/"OUTCOME_CREATED"[\s\S]*"DURABILITY_FSYNC"/);
    else expect(answer.match(/"time"/g)).toHaveLength(2);
  });

  test("shows the fields that an answer has", async () => {
    const line = lines.find((one) => one.includes("Enqueue")) ?? "";
    const shown = JSON.parse(snippets("README.md", "json")[0] ?? "");

    const answer = JSON.parse(await take(line, broker));

    expect(answer).toMatchObject({ ...shown, taskId: expect.stringMatching(/^[0-9A-Z]{31}$/) });
    expect(Object.keys(answer)).toEqual(Object.keys(shown));
  });
});

describe.for(PAGES)("%s", (page) => {
  // examples.test.ts runs them.
  test("shows examples as they are, below the comment that they begin with", () => {
    const examples = EXAMPLES.flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((file) => file.endsWith(".ts"))
        .map((file) => read(`${folder}/${file}`).replace(/^\/\*\*[\s\S]*?\*\/\n/, "")),
    );
    const shown = snippets(page, "ts");

    expect(shown.length).toBeGreaterThan(0);
    for (const code of shown) expect(examples).toContain(code);
  });
});

describe.for([...PAGES, ...LINKING, ...DOCS])("%s", (page) => {
  test("has links that lead somewhere", () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !link.startsWith("http") && !existsSync(join(ROOT, dirname(page), link)));

    expect(broken).toEqual([]);
  });
});
