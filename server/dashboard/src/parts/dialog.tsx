import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

/** A window over the page. The browser keeps the focus in it, and closes it on Escape; it goes back to where it was. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, onClose, children } = props;
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before it is drawn: keys that are pressed from now on are for it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    // The answer that changes nothing; the browser would take whatever stands first.
    ref.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      // While the window is there, nothing else can have the focus.
      queueMicrotask(() => before instanceof HTMLElement && before.focus());
    };
  }, []);
  return (
    <dialog ref={ref} class="dialog" aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
