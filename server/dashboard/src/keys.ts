/** What single keys do. None does anything while a text is typed, or when they are switched off. */
import { signal } from "@preact/signals";
import { go } from "./location.ts";
import { PAGES } from "./pages/pages.ts";

const SETTING = "taskwire.keys";
/** So long after `g` the next letter names a page. */
const JUMP_MS = 1_500;

export const areKeysOn = signal(localStorage.getItem(SETTING) !== "off");
export const isSheetOpen = signal(false);

export function switchKeys(on: boolean): void {
  areKeysOn.value = on;
  localStorage.setItem(SETTING, on ? "on" : "off");
}

let jumpUntilMs = 0;

export function startKeys(): () => void {
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function onKey(event: KeyboardEvent): void {
  const { key, target, metaKey, ctrlKey, altKey } = event;
  if (metaKey || ctrlKey || altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]")) {
    if (key === "Escape") target.blur();
    return;
  }
  // The sheet can always be opened: it has the switch.
  if (!areKeysOn.value && key !== "?") return;
  if (act(key)) event.preventDefault();
}

function act(key: string): boolean {
  const page = performance.now() < jumpUntilMs ? PAGES.find((one) => one.key === key) : undefined;
  jumpUntilMs = 0;
  if (page) go(page.path);
  else if (key === "g") jumpUntilMs = performance.now() + JUMP_MS;
  else if (key === "/") document.querySelector<HTMLElement>("#search")?.focus();
  else if (key === "?") isSheetOpen.value = true;
  else if (key === "j") moveRow(1);
  else if (key === "k") moveRow(-1);
  else return false;
  return true;
}

/** The address of the row that was walked to last: it may have lost the focus with its button, or with its page. */
let lastRow: string | undefined;

/** Each row of a list has one link that stands for it. */
function moveRow(step: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("a[data-row]")];
  const focused = links.findIndex((link) => link.closest("tr, li")?.contains(document.activeElement));
  const at = focused < 0 ? links.findIndex((link) => link.href === lastRow) : focused;
  const next = at < 0 ? links[0] : links[Math.min(links.length - 1, Math.max(0, at + step))];
  lastRow = next?.href;
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
