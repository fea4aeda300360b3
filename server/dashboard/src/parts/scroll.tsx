import type { ComponentChildren } from "preact";

/** A table that may be wider than the window: it scrolls, the page does not. */
export function Table(props: {
  readonly label: string;
  readonly isOld?: boolean;
  readonly name?: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <section class={`scroll ${props.isOld ? "is-old" : ""}`} tabIndex={0} aria-label={props.label}>
      <table class={props.name}>{props.children}</table>
    </section>
  );
}
