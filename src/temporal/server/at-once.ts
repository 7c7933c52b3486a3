import { portions } from '../../domain/portions';

/** Calls `work` for each item, at most `atOnce` at a time. Returns the results in the order of the items. */
export async function mapAtOnce<T, U>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<U>,
): Promise<U[]> {
  const results: U[] = [];
  for (const together of portions(items, { items: atOnce }))
    results.push(...(await Promise.all(together.map(work))));
  return results;
}
