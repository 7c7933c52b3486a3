import { canonicalJson, isComposite, type JsonValue } from '../../json';
import { parseJsonPointer, valueAt } from '../../json-pointer';

/** The number of what was not found or not numbered. */
export const NOT_NUMBERED = -1;

/** By record: the number of something, among `size`; {@link NOT_NUMBERED} where there is none. */
export interface Numbered {
  numbers: Int32Array;
  size: number;
}

/** Numbers JSON values, 0, 1, 2 … as they come, so that their equality becomes that of integers. */
export class ValueNumbers {
  // A Map tells primitives apart just as JSON equality does (0 and -0 are one, 1 and "1" are two), without the text
  // that would cost the most. Arrays and objects have a map of their own: a string may equal the text of an object.
  private readonly primitives = new Map<JsonValue, number>();
  private readonly composites = new Map<string, number>();

  /** How many values have a number. */
  get size(): number {
    return this.primitives.size + this.composites.size;
  }

  /** The number of a value; a new one if it has none. */
  add(value: JsonValue): number {
    return isComposite(value)
      ? numberIn(this.composites, canonicalJson(value), this.size)
      : numberIn(this.primitives, value, this.size);
  }

  /** The number of a value, {@link NOT_NUMBERED} if it has none. An object costs nothing while no object has one. */
  find(value: JsonValue): number {
    if (!isComposite(value)) return this.primitives.get(value) ?? NOT_NUMBERED;
    if (this.composites.size === 0) return NOT_NUMBERED;
    return this.composites.get(canonicalJson(value)) ?? NOT_NUMBERED;
  }
}

/** Some records, ascending, and where they are among all. */
interface SomeRecords {
  at: number[];
  records: { value: JsonValue }[];
}

/** What the records of a buffer hold at JSON Pointers, in numbers. */
export class Parts {
  private readonly known = new Map<string, Numbered>();

  constructor(readonly records: readonly { value: JsonValue }[]) {}

  /**
   * By first token of pointers: the records that have something there, so that a rule which looks at a part that few
   * records have costs no more than those. Linear in the keys of the records.
   */
  holding(tokens: ReadonlySet<string>): ReadonlyMap<string, SomeRecords> {
    const holding = new Map(
      [...tokens].map((token): [string, SomeRecords] => [token, { at: [], records: [] }]),
    );
    for (let i = 0; i < this.records.length; i++) {
      const record = this.records[i] as { value: JsonValue };
      if (record.value === null || typeof record.value !== 'object') continue;
      for (const key of Object.keys(record.value)) {
        const some = holding.get(key);
        some?.at.push(i);
        some?.records.push(record);
      }
    }
    return holding;
  }

  /** The number of each record's part at a pointer, among all there are; {@link NOT_NUMBERED} where there is none. */
  at(pointer: string): Numbered {
    const known = this.known.get(pointer);
    if (known) return known;
    const values = new ValueNumbers();
    const parts = { numbers: this.map(pointer, (part) => values.add(part)), size: 0 };
    parts.size = values.size;
    this.known.set(pointer, parts);
    return parts;
  }

  /** The number that `numberOf` gives each record's part at a pointer; {@link NOT_NUMBERED} where there is none. */
  map(pointer: string, numberOf: (part: JsonValue) => number): Int32Array {
    const tokens = parseJsonPointer(pointer);
    const { records } = this;
    const numbers = new Int32Array(records.length);
    for (let i = 0; i < records.length; i++) {
      const value = (records[i] as { value: JsonValue }).value;
      const part = tokens.length === 0 ? value : valueAt(value, tokens);
      numbers[i] = part === undefined ? NOT_NUMBERED : numberOf(part);
    }
    return numbers;
  }

  /** The number of each record's parts at several pointers together, {@link NOT_NUMBERED} where one is missing. */
  together(pointers: readonly string[]): Numbered {
    const [first, ...others] = pointers;
    if (first === undefined) return { numbers: new Int32Array(this.records.length), size: 1 };
    return others.reduce((all, pointer) => crossed(all, this.at(pointer)), this.at(first));
  }
}

/** Numbers pairs of numbers, 0, 1, 2 … as they come. */
export function crossed(a: Numbered, b: Numbered): Numbered {
  const pairs = new Numbers(a.size * b.size, a.numbers.length);
  const numbers = a.numbers.map((ofA, i) => {
    const ofB = b.numbers[i] ?? 0;
    if (ofA === NOT_NUMBERED || ofB === NOT_NUMBERED) return NOT_NUMBERED;
    return pairs.of(ofA * b.size + ofB);
  });
  return { numbers, size: pairs.count };
}

function numberIn<K>(numbers: Map<K, number>, key: K, next: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, next);
  return next;
}

/** Numbers ids, 0, 1, 2 … as they come: in a table where that isn't much larger than all there is, as a Map is slow. */
export class Numbers {
  private readonly table: Int32Array | undefined;
  private readonly map = new Map<number, number>();
  count = 0;

  /** @param ids that there may be, from 0 @param most how many different ones come */
  constructor(ids: number, most: number) {
    if (ids <= 4 * most) this.table = new Int32Array(ids);
  }

  of(id: number): number {
    const known = this.table ? (this.table[id] ?? 0) : this.map.get(id);
    if (known) return known - 1;
    this.count++;
    if (this.table) this.table[id] = this.count;
    else this.map.set(id, this.count);
    return this.count - 1;
  }
}

/** By number: how often it occurs. */
export function countsOf(numbers: Int32Array, size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const number of numbers) if (number !== NOT_NUMBERED) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}
