/** What the walks of all states have in common. */
import { TaskwireError } from "../../domain/errors.ts";
import type { ListedTask } from "../store.ts";

/** Some tasks of a list, one after the other. */
export interface Portion {
  readonly tasks: readonly ListedTask[];
  /** Where to go on; undefined when the list is over. */
  readonly next: string | undefined;
}

/** Brings the tasks behind a position, at most so many. */
export type Walk = (after: string, max: number) => Promise<Portion>;

/** The parts of a position, which comes back from whoever was told it. */
export function partsOf(position: string, form: RegExp): readonly string[] {
  const parts = form.exec(position);
  if (!parts) throw new TaskwireError("INVALID_ARGUMENT", "the position is not one of this list");
  return parts.slice(1).map((part) => part ?? "");
}
