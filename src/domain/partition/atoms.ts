import type { Selector } from '../rules/rule';
import type { JsonValue } from '../json';
import { NOT_NUMBERED, ValueNumbers, type Numbered, type Parts } from './values';

/**
 * Sorts records into atoms: those of one are selected by the same of these selectors. An atom is a value that a selector
 * lists or that ends a range, or all that lies between two such ends, or everything else of a kind. So there are few more
 * than the selectors name values, whatever the records hold. O(records × log selectors).
 */
export function atomsAt(parts: Parts, pointer: string, selectors: readonly Selector[]): Numbered {
  const listed = new ValueNumbers();
  const ends: (number | string)[] = [];
  for (const { equals, in: values = [], prefix, atLeast, above, atMost, below } of selectors) {
    for (const value of equals === undefined ? values : [equals]) listed.add(value);
    ends.push(...[atLeast, above, atMost, below].filter((end) => end !== undefined));
    if (prefix !== undefined) ends.push(...endsOfPrefix(prefix));
  }
  for (const end of ends) listed.add(end);
  const numbers = sorted(ends.filter((end) => typeof end === 'number'));
  const texts = sorted(ends.filter((end) => typeof end === 'string'));
  const [afterListed, afterNumbers] = [listed.size, listed.size + numbers.length + 1];
  const afterTexts = afterNumbers + texts.length + 1;
  const atomOf = (part: JsonValue): number => {
    const number = listed.find(part);
    if (number !== NOT_NUMBERED) return number;
    if (typeof part === 'number') return afterListed + placeIn(numbers, part);
    if (typeof part === 'string') return afterNumbers + placeIn(texts, part);
    return afterTexts;
  };
  const found = parts.map(pointer, atomOf);
  const nothing = afterTexts + 1;
  for (let i = 0; i < found.length; i++) if (found[i] === NOT_NUMBERED) found[i] = nothing;
  return compacted(found);
}

/** Texts with a beginning lie from it to before the text that is next to all of them, by the order of code units. */
function endsOfPrefix(prefix: string): string[] {
  const stem = prefix.replace(/\uffff+$/, '');
  if (stem === '') return [prefix];
  return [prefix, stem.slice(0, -1) + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1)];
}

function sorted<T extends number | string>(ends: readonly T[]): T[] {
  return [...new Set(ends)].sort((a, b) => (a < b ? -1 : 1));
}

/** How many of the ends come before a value. */
function placeIn<T extends number | string>(ends: readonly T[], value: T): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const end = ends[middle] as T;
    if (end < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same numbers without gaps, 0, 1, 2 … as they come. */
function compacted(numbers: Int32Array): Numbered {
  const known = new Map<number, number>();
  const compact = numbers.map((number) => {
    const before = known.get(number) ?? known.size;
    known.set(number, before);
    return before;
  });
  return { numbers: compact, size: known.size };
}
