/** The known name that somebody who wrote `name` most likely meant; undefined when none is like it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // More than a third of it wrong is another word.
  let least = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const changes = distance(name.toLowerCase(), candidate.toLowerCase());
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** How many letters must be added, removed or replaced to get from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const [added = 0, removed = 0, replaced = 0] = [next[j], row[j + 1], row[j]];
      next.push(Math.min(added + 1, removed + 1, replaced + (letter === to[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
