import { TRANSITIONS } from "../../server/src/domain/state.ts";
import { groupBy } from "../../server/src/lib/group-by.ts";

/** The states of a task and the moves between them, as a Mermaid diagram. */
export function lifecycleDiagram(): string {
  const lines = ["[*] --> ready: enqueue", "[*] --> scheduled: enqueue with a delay or a run time"];
  for (const [state, moves] of Object.entries(TRANSITIONS)) {
    const byTarget = groupBy(Object.entries(moves), ([, target]) => target);
    for (const [target, entries] of byTarget) {
      lines.push(`${state} --> ${target}: ${entries.map(([move]) => move).join(", ")}`);
    }
    if (Object.keys(moves).length === 0) lines.push(`${state} --> [*]`);
  }
  return `\`\`\`mermaid\nstateDiagram-v2\n${lines.map((line) => `  ${line}\n`).join("")}\`\`\`\n`;
}
