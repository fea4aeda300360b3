/** What is around every page: where one can go, how live it is, the search. */
import { count } from "../api/messages.ts";
import { isSheetOpen } from "../keys.ts";
import { stats } from "../live/link.ts";
import { go, place } from "../location.ts";
import { PAGES, taskAt } from "../pages/pages.ts";
import { brief, plural } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { Segments } from "../parts/segments.tsx";
import { chooseTheme, THEMES, theme } from "../theme.ts";
import { Live } from "./live.tsx";

export function Sidebar() {
  return (
    <div class="sidebar">
      <a class="brand" href="/" aria-label="Taskwire, to the overview">
        <Mark />
        Taskwire
      </a>
      <nav aria-label="Pages">
        {PAGES.map(({ path, name, icon }) => (
          <a key={path} href={path} aria-current={isCurrent(path) ? "page" : undefined}>
            <Icon name={icon} />
            <span class="nav-name">{name}</span>
            <Note page={name} />
          </a>
        ))}
      </nav>
      <div class="sidebar-foot">
        <Theme />
        <button type="button" class="button quiet" onClick={() => (isSheetOpen.value = true)}>
          <Icon name="keys" />
          Keys <kbd>?</kbd>
        </button>
      </div>
    </div>
  );
}

export function Topbar() {
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const field = event.currentTarget.elements.namedItem("search");
    if (!(field instanceof HTMLInputElement) || field.value.trim() === "") return;
    go(taskAt(field.value.trim()));
    field.value = "";
  };
  return (
    <div class="topbar">
      <a class="brand only-narrow" href="/" aria-label="Taskwire, to the overview">
        <Mark />
      </a>
      <search>
        <form class="search" onSubmit={search}>
          <Icon name="search" />
          <input
            id="search"
            name="search"
            aria-label="Find a task by its id"
            placeholder="Find a task by its id"
            autocomplete="off"
            spellcheck={false}
          />
          <kbd>/</kbd>
        </form>
      </search>
      <span class="grow" />
      <Live />
    </div>
  );
}

function isCurrent(path: string): boolean {
  const here = place.value.path === "/ui/task" ? "/ui/tasks" : place.value.path;
  return here === path;
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M7 11h9M7 16h18M7 21h9" />
      <circle cx="22" cy="11" r="2.2" />
      <circle cx="22" cy="21" r="2.2" />
    </svg>
  );
}

/** What of a page should be seen from everywhere. */
function Note({ page }: { readonly page: (typeof PAGES)[number]["name"] }) {
  const latest = stats.value;
  if (!latest) return null;
  if (page === "Queues") {
    const paused = (latest.queues ?? []).filter((queue) => queue.paused).length;
    return paused > 0 ? (
      <span class="note paused">
        <Icon name="pause" />
        {brief(paused)} <span class="note-word">paused</span>
      </span>
    ) : null;
  }
  if (page === "Failures") {
    const dead = count(latest.total?.dead);
    return dead > 0 ? (
      <span class="note dead" title={plural(dead, "dead task")}>
        {brief(dead)}
      </span>
    ) : null;
  }
  if (page === "Workers") return <span class="note">{brief(latest.workers ?? 0)}</span>;
  return null;
}

function Theme() {
  return <Segments label="Colours" choices={THEMES} chosen={theme.value} choose={chooseTheme} />;
}
