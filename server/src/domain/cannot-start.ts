/** Why a broker cannot start: a sentence with the remedy, for whoever started it. Anything else that is thrown is a bug. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}
