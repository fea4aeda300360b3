import { statusCode } from "../../server/src/api/status.ts";
import { ERRORS, type ErrorCode } from "../../server/src/domain/errors.ts";
import { generatedFrom, table } from "./markdown.ts";

/** Every error that a call can end with. */
export function errorReference(): string {
  // The keys of ERRORS are what ErrorCode is made of.
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const rows = codes.map((code) => {
    const { sentence, retryable } = ERRORS[code];
    return [`\`${code}\``, `\`${statusCode(code)}\``, retryable ? "yes" : "no", sentence];
  });
  return `# Errors

${generatedFrom("server/src/domain/errors.ts")}
A call that fails ends with a gRPC status whose details have an \`ErrorInfo\` with the reason below and the domain \`taskwire\`.
Such a status means that the call had no effect. A status without it, such as one made by a broken connection, leaves open
whether the call had an effect.

${table(["Reason", "gRPC status", "May succeed later", "Meaning"], rows)}`;
}
