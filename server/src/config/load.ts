/** Reads the settings: flags win over the environment, both over the defaults. The only reader of process.env. */
import { Command, type CommanderError, Option } from "commander";
import type { z } from "zod";
import { isLoopback } from "../lib/address.ts";
import { nearest } from "../lib/nearest.ts";
import { type Address, type Config, configSchema } from "./schema.ts";

/** One setting under its three names. */
export interface Setting {
  readonly key: string;
  readonly env: string;
  readonly flag: string;
  readonly description: string;
  readonly fallback: unknown;
}

const ENV_PREFIX = "TASKWIRE_";

export const SETTINGS: readonly Setting[] = Object.entries(configSchema.shape).map(([key, schema]) => ({
  key,
  env: `${ENV_PREFIX}${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
  flag: `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  description: schema.description ?? "",
  fallback: defaultOf(schema),
}));

function defaultOf(schema: z.ZodType): unknown {
  const parsed = schema.parse(undefined);
  if (Array.isArray(parsed)) return parsed.join() || "none";
  return typeof parsed === "object" && parsed !== null && "host" in parsed && "port" in parsed
    ? `${parsed.host}:${parsed.port}`
    : parsed;
}

/** A setting is wrong or unknown; the message lists all such settings. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * @param argv the arguments after the program's name
 * @throws ConfigError naming every wrong setting by the name under which it was given
 */
export function loadConfig(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Config {
  const flags = parseFlags(argv);
  const given: Record<string, unknown> = {};
  const names: Record<string, string> = {};
  for (const { key, env: envName, flag } of SETTINGS) {
    if (env[envName] !== undefined) [given[key], names[key]] = [env[envName], envName];
    if (flags[key] !== undefined) [given[key], names[key]] = [flags[key], flag];
  }
  const known = SETTINGS.map((setting) => setting.env);
  const unknown = Object.keys(env).filter((name) => name.startsWith(ENV_PREFIX) && !known.includes(name));
  const wrong = unknown.map((name) => notASetting(name, known));
  const result = configSchema.safeParse(given);
  if (!result.success) {
    for (const { path, message } of result.error.issues) {
      const key = String(path[0]);
      wrong.push(`${names[key] ?? key} is ${JSON.stringify(withoutPassword(given[key]))}: ${message}`);
    }
  }
  if (!result.success || wrong.length > 0) throw new ConfigError(wrong.join("\n"));
  return Object.freeze(checkListen(result.data));
}

/** An address may carry a password, which must not be shown. */
function withoutPassword(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/:.*@/, "://[redacted]@") : value;
}

function parseFlags(argv: readonly string[]): Record<string, unknown> {
  const program = new Command("taskwire-server")
    .description(
      "The Taskwire broker. Every flag can also be given in the environment, as TASKWIRE_ and the name in capitals.",
    )
    .showSuggestionAfterError(false)
    // Our caller says what is wrong.
    .configureOutput({ writeErr: () => {} })
    .exitOverride(leave);
  for (const { flag, env, description, fallback, key } of SETTINGS) {
    const value = key === "insecure" ? "" : " <value>";
    program.addOption(new Option(`${flag}${value}`, `${description} [${env}, default ${String(fallback)}]`));
  }
  return program.parse([...argv], { from: "user" }).opts();
}

/** Help was asked for, and shown; or the flags are wrong. */
function leave({ exitCode, code, message }: CommanderError): never {
  if (exitCode === 0) process.exit(0);
  const sentence = message.replace(/^error: /, "").replace(/\.$/, "");
  const [, flag] = code === "commander.unknownOption" ? (/'(.*)'/.exec(sentence) ?? []) : [];
  const known = SETTINGS.map((setting) => setting.flag);
  throw new ConfigError(flag === undefined ? `${sentence}; see --help` : notASetting(flag, known));
}

function notASetting(name: string, known: readonly string[]): string {
  const prefix = name.startsWith("--") ? "--" : ENV_PREFIX;
  const meant = nearest(
    name.slice(prefix.length),
    known.map((full) => full.slice(prefix.length)),
  );
  return `${name} is not a setting of the broker${meant ? `, did you mean ${prefix}${meant}? See` : "; see"} --help`;
}

function checkListen(config: Config): Config {
  refuseOpen("TASKWIRE_GRPC_LISTEN", config.grpcListen, config);
  if (config.httpListen !== "off") refuseOpen("TASKWIRE_HTTP_LISTEN", config.httpListen, config);
  return config;
}

/** Plaintext beyond loopback must be asked for. */
function refuseOpen(name: string, { host }: Address, { insecure }: Config): void {
  if (isLoopback(host) || insecure) return;
  throw new ConfigError(
    `${name} is ${host}, which others can reach, without encryption: listen on 127.0.0.1, or say --insecure inside a network that you trust`,
  );
}
