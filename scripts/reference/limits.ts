import ts from "typescript";
import { LIMITS } from "../../server/src/domain/limits.ts";
import { generatedFrom, quantity, table } from "./markdown.ts";

/** Every bound that no setting changes. What each is about is in the comments of `source`, the text of limits.ts. */
export function limitReference(source: string): string {
  const comments = commentsIn(source);
  const rows = Object.entries(LIMITS).map(([name, limit]) => {
    const comment = comments.get(name);
    if (comment === undefined) throw new Error(`${name} in server/src/domain/limits.ts has no comment`);
    return [`\`${name}\``, bound(name, limit), comment];
  });
  return `# Limits

${generatedFrom("server/src/domain/limits.ts")}
These bounds are fixed. Those that can be set are among the [settings](config.md).

${table(["Limit", "Value", "Of what"], rows)}`;
}

function bound(name: string, limit: number | Readonly<Record<string, number>>): string {
  if (typeof limit === "number") return quantity(name, limit);
  return Object.entries(limit)
    .map(([kind, value]) => `${kind} ${quantity(name, value)}`)
    .join(", ");
}

/** The doc comment of each property in the first object literal of a source text. */
function commentsIn(source: string): Map<string, string> {
  const comments = new Map<string, string>();
  const file = ts.createSourceFile("limits.ts", source, ts.ScriptTarget.ESNext, true);
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node)) {
      const [doc] = ts.getJSDocCommentsAndTags(node);
      const text = doc && ts.getTextOfJSDocComment(doc.comment);
      if (text) comments.set(node.name.getText(), text.replaceAll(/\s+/g, " "));
    } else {
      ts.forEachChild(node, visit);
    }
  };
  visit(file);
  return comments;
}
