/**
 * The fewest conflict-free batches by counting (Björklund, Husfeldt and Koivisto, Set partitioning via
 * inclusion-exclusion, 2009): the ways to cover all records with `count` batches, in order and with overlaps, are the sum
 * over all sets of records of ±(possible batches within the set) to the power of `count`. The fewest is the first count for
 * which there is a way. It has nothing in common with searching, and is exact, as the numbers are whole. For up to about
 * 12 records.
 */
export function fewestByCounting(
  records: number,
  conflict: (a: number, b: number) => boolean,
  maxBatchSize: number,
): number {
  const sets = 2 ** records;
  const within = new Float64Array(sets);
  for (let set = 1; set < sets; set++) {
    const members = [...Array(records).keys()].filter((record) => set & (1 << record));
    const isBatch =
      members.length <= maxBatchSize && members.every((a) => members.every((b) => a >= b || !conflict(a, b)));
    within[set] = isBatch ? 1 : 0;
  }
  // From batches to how many of them each set contains, one record after the other.
  for (let record = 0; record < records; record++)
    for (let set = 0; set < sets; set++)
      if (set & (1 << record)) within[set] = within[set]! + within[set ^ (1 << record)]!;
  for (let count = 0; ; count++) {
    let ways = 0n;
    for (let set = 0; set < sets; set++) {
      let members = 0;
      for (let bits = set; bits > 0; bits &= bits - 1) members++;
      const power = BigInt(within[set]!) ** BigInt(count);
      ways += (records - members) % 2 === 0 ? power : -power;
    }
    if (ways > 0n) return count;
  }
}
