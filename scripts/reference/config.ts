import { SETTINGS } from "../../server/src/config/load.ts";
import { generatedFrom, quantity, table } from "./markdown.ts";

/** Every setting of the broker. */
export function configReference(): string {
  const rows = SETTINGS.map(({ key, env, flag, description, fallback }) => {
    const said = typeof fallback === "number" ? quantity(key, fallback) : "";
    // The bare number says as much as "1,500 ms".
    const readable = / (?!ms$|bytes$)/.test(said) ? ` (${said})` : "";
    return [`\`${env}\``, `\`${flag}\``, `\`${String(fallback)}\`${readable}`, description];
  });
  return `# Settings of the broker

${generatedFrom("server/src/config/schema.ts")}
Flags win over the environment, and both over the defaults. Unknown names are refused. Durations are in milliseconds, sizes in bytes.

${table(["Environment", "Flag", "Default", "What it does"], rows)}`;
}
