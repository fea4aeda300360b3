/** A payload or a result: as JSON, as text, or as hex. */
import { useMemo, useState } from "preact/hooks";
import { asText, fromBase64, hexDump, SHOWN_BYTES } from "./bytes.ts";
import { Code } from "./code.tsx";
import { CopyButton } from "./copy.tsx";
import { bytes as sizeText } from "./format.ts";
import { layOutJson, type Token } from "./json.ts";
import { Segments } from "./segments.tsx";

type View = "JSON" | "text" | "hex";

/** @param props.name what it is, for buttons */
export function Content({ name, base64 }: { readonly name: string; readonly base64: string }) {
  const [chosen, choose] = useState<View | undefined>(undefined);
  const { data, text, json } = useMemo(() => read(base64), [base64]);
  const views: readonly View[] = [
    ...(json ? ["JSON" as const] : []),
    ...(text !== undefined ? ["text" as const] : []),
    "hex",
  ];
  const view = chosen && views.includes(chosen) ? chosen : (views[0] ?? "hex");
  const isCut = data.length > SHOWN_BYTES;
  return (
    <div class="content">
      <div class="content-head">
        <Segments label={`Show the ${name} as`} choices={views} chosen={view} choose={choose} />
        <span class="muted">{sizeText(data.length)}</span>
        <span class="grow" />
        <CopyButton text={() => text ?? hexDump(data)} label={`Copy the ${name}`} />
      </div>
      <Code label={name}>
        {view === "JSON" && json ? <Json tokens={json} /> : null}
        {view === "text" ? (text ?? "").slice(0, SHOWN_BYTES) : null}
        {view === "hex" ? hexDump(data.subarray(0, SHOWN_BYTES)) : null}
      </Code>
      {isCut && <p class="muted">The first {sizeText(SHOWN_BYTES)} are shown. Copy takes all of it.</p>}
    </div>
  );
}

function read(base64: string) {
  const data = fromBase64(base64);
  const text = asText(data);
  const json = text !== undefined && data.length <= SHOWN_BYTES ? layOutJson(text) : undefined;
  return { data, text, json };
}

function Json({ tokens }: { readonly tokens: readonly Token[] }) {
  return (
    <>
      {tokens.map(({ kind, text }, i) =>
        kind === "mark" || kind === "space" ? (
          text
        ) : (
          <span key={i} class={`json-${kind}`}>
            {text}
          </span>
        ),
      )}
    </>
  );
}
