import { canonicalJson, type JsonValue } from './json';
import { parseJsonPointer, valueAt } from './json-pointer';

/** The number of what was not found or not numbered. */
export const NOT_NUMBERED = -1;

/**
 * Numbers the values at one JSON Pointer, 0, 1, 2 … as they come, so that equality of JSON values becomes equality of
 * integers.
 */
export class ValueNumbers {
  // A Map tells primitives apart just as JSON equality does (0 and -0 are one, 1 and "1" are two), without the text
  // that would cost the most. Arrays and objects have a map of their own: a string may equal the text of an object.
  private readonly primitives = new Map<JsonValue, number>();
  private readonly composites = new Map<string, number>();
  private readonly tokens: readonly string[];

  constructor(pointer: string) {
    this.tokens = parseJsonPointer(pointer);
  }

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

  /** The number of each record's part at the pointer; parts without a number get one if `open`. */
  ofRecords(records: readonly { value: JsonValue }[], open: boolean): Int32Array {
    return Int32Array.from(records, ({ value }) => {
      const part = this.tokens.length === 0 ? value : valueAt(value, this.tokens);
      if (part === undefined) return NOT_NUMBERED;
      return open ? this.add(part) : this.find(part);
    });
  }
}

function numberIn<K>(numbers: Map<K, number>, key: K, next: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, next);
  return next;
}

function isComposite(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null;
}
