/** Chooses one of a few. */
export function Segments<Choice extends string>(props: {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: Choice | undefined;
  readonly choose: (choice: Choice) => void;
}) {
  const { label, choices, chosen, choose } = props;
  return (
    <fieldset class="segments">
      <legend class="only-aloud">{label}</legend>
      {choices.map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === chosen} onClick={() => choose(choice)}>
          {choice}
        </button>
      ))}
    </fieldset>
  );
}
