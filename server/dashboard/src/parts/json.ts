/**
 * JSON as its author wrote it, only laid out: numbers of any length stay digit by digit as they are, and so do escapes and
 * the order of keys. To parse it and write it again would change all of these.
 */

export type TokenKind = "key" | "string" | "number" | "word" | "mark" | "space";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const TOKEN = /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{}:,])|([ \t\r\n]+)/y;

/** The tokens with the spaces of a readable layout; undefined when the text is not JSON. */
export function layOutJson(text: string): readonly Token[] | undefined {
  try {
    // Only to know whether it is JSON.
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = tokensOf(text);
  return tokens && layOut(tokens);
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (!found) return undefined;
    const [all, string, number, word, mark] = found;
    if (string !== undefined) tokens.push({ kind: "string", text: all });
    else if (number !== undefined) tokens.push({ kind: "number", text: all });
    else if (word !== undefined) tokens.push({ kind: "word", text: all });
    else if (mark !== undefined) tokens.push({ kind: "mark", text: all });
  }
  return tokens;
}

function layOut(tokens: readonly Token[]): readonly Token[] {
  const laid: Token[] = [];
  let depth = 0;
  const line = () => laid.push({ kind: "space", text: `\n${"  ".repeat(depth)}` });
  tokens.forEach((token, i) => {
    const { text, kind } = token;
    const before = tokens[i - 1]?.text ?? "";
    const after = tokens[i + 1]?.text ?? "";
    if (kind === "mark" && (text === "}" || text === "]")) {
      depth--;
      if (tokens[i - 1]?.kind !== "mark" || (before !== "{" && before !== "[")) line();
    }
    const isKey = kind === "string" && after === ":" && tokens[i + 1]?.kind === "mark";
    laid.push(isKey ? { kind: "key", text } : token);
    if (kind !== "mark") return;
    if (text === "{" || text === "[") {
      depth++;
      if (after !== "}" && after !== "]") line();
    } else if (text === ",") line();
    else if (text === ":") laid.push({ kind: "space", text: " " });
  });
  return laid;
}
