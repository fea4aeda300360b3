/** Takes the calls that pages show, as they stand there, with a broker of the test. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ask } from "./http.ts";

export const ROOT = join(import.meta.dirname, "../..");

/** What takes the lines that begin with grpcurl: itself where it is installed, or what comes nearest to it. */
export const grpcTool = spawnSync("grpcurl", ["--version"]).error ? "buf" : "grpcurl";
/** What takes the lines that begin with curl. */
export const httpTool = spawnSync("curl", ["--version"]).error ? "Node" : "curl";

const GRPC_ADDRESS = /(localhost|127\.0\.0\.1):50051/g;
const HTTP_ADDRESS = "127.0.0.1:8080";

export function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The code blocks of a page that are in a language. */
export function snippets(page: string, language: string): string[] {
  const blocks = read(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
  return [...blocks].map(([, code = ""]) => code);
}

/** The lines of a page that call a broker with one of these programs, in their order. */
export function callsOf(page: string, ...programs: readonly ("curl" | "grpcurl")[]): string[] {
  const lines = snippets(page, "sh").flatMap((code) => code.split("\n"));
  return lines.filter((line) => programs.some((program) => line.startsWith(`${program} `)));
}

/** Runs such a line; resolves with what it prints. */
export function take(
  line: string,
  broker: { readonly address: string; readonly httpAddress: string },
): Promise<string> {
  if (line.startsWith("grpcurl ")) {
    const command = grpcTool === "grpcurl" ? line : asBuf(line);
    return run(command.replace(GRPC_ADDRESS, broker.address));
  }
  if (httpTool === "curl") return run(line.replace(HTTP_ADDRESS, broker.httpAddress));
  return takeWithoutCurl(line, broker.httpAddress);
}

async function run(command: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}${delimiter}${process.env["PATH"]}` };
  return (await promisify(execFile)("sh", ["-c", command], { cwd: ROOT, env })).stdout;
}

/** The same call with buf, which the repository brings along. */
function asBuf(line: string): string {
  const curl = "buf curl --protocol grpc --http2-prior-knowledge";
  const [, data, address, rest = ""] = /^grpcurl -plaintext (?:-d ('.*?') )?(\S+) (.*)$/.exec(line) ?? [];
  if (rest === "list") return `${curl} --list-services http://${address}`;
  if (rest.startsWith("describe ")) return `${curl} --list-methods http://${address}`;
  return `${curl} -d ${data} http://${address}/${rest}`;
}

/** The same request. */
async function takeWithoutCurl(line: string, address: string): Promise<string> {
  const headers = Object.fromEntries(
    [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
  );
  const [, body] = /-d '([^']+)'/.exec(line) ?? [];
  const [, path = ""] = /127\.0\.0\.1:8080([^\s']*)/.exec(line) ?? [];
  return (await ask(address, path, { headers, ...(body && { body }) })).text;
}
