/** More differences than this, and a name is not taken for a misspelt one. */
const MAX_DIFFERENCES = 2;

/** The name that was probably meant, by fewest differences; letter case, `_` and `-` are none. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const given = bare(name);
  const near = names
    .map((other) => ({ other, differences: differencesBetween(given, bare(other)) }))
    .sort((a, b) => a.differences - b.differences)[0];
  return near !== undefined && near.differences <= MAX_DIFFERENCES ? near.other : undefined;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Levenshtein's distance: how many characters are added, left out or replaced. */
function differencesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const [left, above, before] = [next[j - 1] ?? 0, row[j] ?? 0, row[j - 1] ?? 0];
      next.push(Math.min(left + 1, above + 1, before + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
