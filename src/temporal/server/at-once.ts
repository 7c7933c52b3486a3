/** Calls `work` for each item, at most `atOnce` at a time. Returns the results in the order of the items. */
export async function mapAtOnce<T, U>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<U>,
): Promise<U[]> {
  const results: U[] = [];
  for (const group of groupsOf(items, atOnce)) results.push(...(await Promise.all(group.map(work))));
  return results;
}

/** The items in order, in groups of at most `size`. */
export function groupsOf<T>(items: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < items.length; at += size) groups.push(items.slice(at, at + size));
  return groups;
}
