import { areKeysOn, isSheetOpen, switchKeys } from "../keys.ts";
import { PAGES } from "../pages/pages.ts";
import { Dialog } from "../parts/dialog.tsx";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["/"], "Find a task by its id"],
  [["j"], "Next row"],
  [["k"], "Row before"],
  [["Enter"], "Open the row"],
  ...PAGES.map(({ key, name }) => [["g", key], `Go to ${name}`] as const),
  [["Esc"], "Leave the field, close the window"],
  [["?"], "This sheet"],
];

export function KeySheet() {
  if (!isSheetOpen.value) return null;
  const close = () => (isSheetOpen.value = false);
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-actions">
        <label class="check">
          <input
            type="checkbox"
            checked={areKeysOn.value}
            onChange={(event) => switchKeys(event.currentTarget.checked)}
          />
          Single keys do something
        </label>
        <span class="grow" />
        <button type="button" class="button primary" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
