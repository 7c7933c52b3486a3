/**
 * The known name that was most likely meant, if any is similar. Letter case and separators don't count, nor does `prefix`
 * at the beginning. With a third of the letters wrong it may be a typo; with more it is another word.
 */
export function closestName(name: string, known: readonly string[], prefix = ''): string | undefined {
  const lettersOf = (text: string) =>
    (text.startsWith(prefix) ? text.slice(prefix.length) : text).toUpperCase().replace(/[^A-Z0-9]/g, '');
  const wanted = lettersOf(name);
  let best: string | undefined;
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, lettersOf(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** {@link closestName} as an addition to a message; empty if no name is similar. */
export function didYouMean(name: string, known: readonly string[], prefix = ''): string {
  const meant = closestName(name, known, prefix);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/**
 * How many characters have to be inserted, deleted, replaced, or swapped with their neighbour (the optimal string
 * alignment distance). Two rows of the table at a time.
 */
function editDistance(from: string, to: string): number {
  let above: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? (above[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [above, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
