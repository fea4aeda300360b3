/** Which page is shown: its path, and its filter in the query. The address bar is the only place where they are kept. */
import { signal } from "@preact/signals";

/** So long a page is waited for that has to be long enough to be scrolled. */
const LIST_COMES_MS = 2_000;

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

export const place = signal<Place>(read());

/** A page with its filter; empty values are left out. */
export function href(path: string, filter: Readonly<Record<string, string | undefined>> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function go(address: string): void {
  if (address === location.pathname + location.search) return;
  // To be found again by whoever comes back.
  history.replaceState({ scrolled: scrollY }, "");
  history.pushState(null, "", address);
  arrive(0);
}

/** Another filter of this page, which is none to come back to: one is still typing it. */
export function replace(address: string): void {
  history.replaceState(history.state, "", address);
  place.value = read();
}

/** Links are plain links: those that stay within the dashboard are followed without loading it again. */
export function startLocation(): void {
  addEventListener("popstate", ({ state }: PopStateEvent) => arrive(Number(state?.scrolled ?? 0)));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || link.target || link.origin !== location.origin || event.defaultPrevented) return;
    if (link.pathname !== "/" && !link.pathname.startsWith("/ui/")) return;
    if (link.hash) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

function arrive(scrolled: number): void {
  const from = place.peek().path;
  place.value = read();
  if (place.value.path === from) return;
  scrollAsFarAs(scrolled);
  // Whoever listens to the page, or walks it by keys, starts anew at its heading.
  const before = document.activeElement;
  requestAnimationFrame(() => {
    const { activeElement } = document;
    // Unless they have gone to a field meanwhile.
    if (activeElement === before || activeElement === document.body)
      document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  });
}

/** A list comes a moment after its page. */
function scrollAsFarAs(y: number): void {
  const path = place.peek().path;
  const untilMs = performance.now() + LIST_COMES_MS;
  const scroll = () => {
    if (place.peek().path !== path) return;
    scrollTo(0, y);
    if (scrollY < Math.floor(y) && performance.now() < untilMs) requestAnimationFrame(scroll);
  };
  scroll();
}

function read(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
