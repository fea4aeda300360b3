import { plural } from "./format.ts";

/** What came while the list was read. */
export function Fresh(props: { readonly waiting: number; readonly isMore?: boolean; readonly accept: () => void }) {
  const { waiting, isMore, accept } = props;
  return (
    <div class="fresh" role="status">
      {waiting > 0 && (
        <button type="button" class="button primary" onClick={accept}>
          {isMore ? `${waiting}+ new` : `${plural(waiting, "new", "new")}`}
        </button>
      )}
    </div>
  );
}
