/** Lists of numbers, one behind the other in one array: list `i` is `items` from `starts[i]` to before `starts[i + 1]`. */
export interface Lists {
  starts: Int32Array;
  items: Int32Array;
}

/** Sorts 0, 1, 2 … into lists by their keys, ascending in each; what has a negative key is in none. O(n). */
export function listsBy(keyOf: Int32Array, keys: number): Lists {
  const starts = new Int32Array(keys + 1);
  for (const key of keyOf) if (key >= 0) starts[key + 1] = (starts[key + 1] ?? 0) + 1;
  for (let key = 1; key <= keys; key++) starts[key] = (starts[key] ?? 0) + (starts[key - 1] ?? 0);
  const next = starts.slice();
  const items = new Int32Array(starts[keys] ?? 0);
  for (let item = 0; item < keyOf.length; item++) {
    const key = keyOf[item] ?? 0;
    if (key < 0) continue;
    items[next[key] ?? 0] = item;
    next[key] = (next[key] ?? 0) + 1;
  }
  return { starts, items };
}

export function lengthOf({ starts }: Lists, list: number): number {
  return (starts[list + 1] ?? 0) - (starts[list] ?? 0);
}

/** One list; it shares its memory with the others. */
export function listOf({ starts, items }: Lists, list: number): Int32Array {
  return items.subarray(starts[list], starts[list + 1]);
}

/** Lists that are filled one after the other. @param fill is called for 0, 1, 2 … and adds the items of that list */
export function listsFrom(count: number, fill: (list: number, add: (item: number) => void) => void): Lists {
  const starts = new Int32Array(count + 1);
  let items = new Int32Array(Math.max(count, 16));
  let length = 0;
  const add = (item: number) => {
    if (length === items.length) {
      const larger = new Int32Array(2 * length);
      larger.set(items);
      items = larger;
    }
    items[length++] = item;
  };
  for (let list = 0; list < count; list++) {
    fill(list, add);
    starts[list + 1] = length;
  }
  return { starts, items: items.subarray(0, length) };
}

/** By key: where it comes first. @param keyOf whole numbers; negative ones are left out */
export function firstWith(keyOf: Int32Array, keys: number): Int32Array {
  const first = new Int32Array(keys);
  for (let item = keyOf.length - 1; item >= 0; item--) {
    const key = keyOf[item] ?? 0;
    if (key >= 0) first[key] = item;
  }
  return first;
}
