import { METRICS } from "../../server/src/observe/metrics.ts";
import { generatedFrom, table } from "./markdown.ts";

const AGGREGATION = { broker: "sum", all: "max" } as const;

/** Every metric of our own. */
export function metricReference(): string {
  const rows = Object.entries(METRICS).map(([name, { type, scope, labels, help }]) => {
    const of = labels.map((label) => `\`${label}\``).join(", ");
    return [`\`${name}\``, type, of, AGGREGATION[scope], `${help}.`];
  });
  return `# Metrics

${generatedFrom("server/src/observe/metrics.ts")}
What \`GET /metrics\` of a broker tells, beside the figures of its process (\`process_*\`) and of Node.js (\`nodejs_*\`, among them the lag of the
event loop and the garbage collector). How to use them: [operations.md](../operations.md#metrics).

**Over brokers** says how to put several brokers together. \`sum\`: each tells what it did or holds itself, since it started. \`max\`: each
tells the same, of the whole installation.

${table(["Name", "Type", "Labels", "Over brokers", "What"], rows)}`;
}
