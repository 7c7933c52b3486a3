/**
 * Splits pairs of numbers into two sets so that the first numbers of one set sum up to at least `first`, and the second
 * numbers of the other to at least `second`: a knapsack. Looks at pairs in the given order and no further than it must.
 *
 * @param pairs each number at least 1, so that it never looks at more than `first` + `second` of them
 * @param steps counts its elementary steps: `first` for each pair it looks at; it gives up when `left` isn't enough
 * @returns by pair: whether it is in the one set; undefined when there is no such split, or none was found
 */
export function splitBetween(
  pairs: readonly (readonly [number, number])[],
  first: number,
  second: number,
  steps: { left: number } = { left: Infinity },
): boolean[] | undefined {
  // By what the one set has so far, no more than is wanted: the most that the other can have then, and where from.
  let most = new Int32Array(first + 1).fill(-1);
  most[0] = 0;
  const from: Int32Array[] = [];
  while ((most[first] ?? 0) < second) {
    const pair = pairs[from.length];
    if (pair === undefined || steps.left < first + 1) return undefined;
    steps.left -= first + 1;
    const [one, other] = pair;
    const next = new Int32Array(first + 1).fill(-1);
    const origin = new Int32Array(first + 1);
    for (let sum = 0; sum <= first; sum++) {
      const reached = most[sum] ?? 0;
      if (reached < 0) continue;
      if (reached + other > (next[sum] ?? 0)) {
        next[sum] = reached + other;
        origin[sum] = sum;
      }
      const taken = Math.min(first, sum + one);
      if (reached > (next[taken] ?? 0)) {
        next[taken] = reached;
        origin[taken] = sum;
      }
    }
    from.push(origin);
    most = next;
  }
  const split = pairs.map(() => false);
  for (let place = from.length - 1, sum = first; place >= 0; place--) {
    const before = (from[place] as Int32Array)[sum] ?? 0;
    split[place] = before !== sum;
    sum = before;
  }
  return split;
}
