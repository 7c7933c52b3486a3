/** What one portion may hold; a single item may be larger in bytes. Default: no limit. */
export interface PortionBounds {
  items?: number;
  bytes?: number;
}

/**
 * Divides a list into portions within these bounds, in its order. Pure.
 * @param bytesOf size of an item, which may depend on the one before it in its portion; only needed with a bound in bytes
 * @example
 * portions([1, 2, 3], { items: 2 }); // [[1, 2], [3]]
 * portions(['ab', 'c', 'defg'], { bytes: 3 }, ({ length }) => length); // [['ab', 'c'], ['defg']]
 */
export function portions<T>(
  items: readonly T[],
  { items: maxItems = Infinity, bytes: maxBytes = Infinity }: PortionBounds,
  bytesOf: (item: T, previous: T | undefined) => number = () => 0,
): T[][] {
  const all: T[][] = [];
  let portion: T[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOf(item, portion.at(-1));
    if (all.length > 0 && portion.length < maxItems && bytes <= maxBytes) portion.push(item);
    else {
      all.push((portion = [item]));
      bytes = bytesOf(item, undefined);
    }
  }
  return all;
}
