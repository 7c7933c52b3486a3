import type { ConflictRule } from '../rules';
import { ALONE, type Place } from '../rules/places';
import { membersOf } from '../rules/rule';
import { fnv1a } from '../fnv1a';
import { canonicalJson, type JsonValue } from '../json';
import { ruleIndexOf, type RuleIndex, type RulePlace } from './rule-index';

/**
 * What a record takes while it is in flight: a side of a slot. Two records conflict exactly when they take the same slot
 * and not the same side of it, or when either takes it for itself alone. A slot is a place under a rule; what stands for
 * the place is a digest, so two places may be taken for one, which keeps records apart that needn't be: once in 4 · 10^9
 * pairs. Never the other way round: sides are numbered or, where rules don't name them (`alike`), stand in full.
 */
export interface Hold {
  slot: string;
  side: Side;
  /** Names slot and side, in a few characters, for as long as the rules stay the same. */
  key: string;
}

/** The number of a side that the rule names; else its text, behind {@link TEXT_MARK}. */
export type Side = number | string;

/** The side of a record that has the slot for itself alone. */
export const WHOLE_SLOT = -1;

/** Begins a side that is a text. */
const TEXT_MARK = '=';

/**
 * Longer texts, escaped as in an address, aren't held, as what is held is bounded in bytes. Their records take the slot for themselves
 * alone: kept apart also from those on the same side, one after the other.
 */
const MAX_SIDE_LENGTH = 100;

/** The place of a rule that holds between all records: no part of them has to be the same. */
const ANYWHERE = canonicalJson([]);

const NOTHING: readonly Hold[] = [];

/** Tells what records take under some rules; of a record that is asked for again, as it is each time, from memory. */
export class Holds {
  private readonly index: RuleIndex;
  private readonly sides: (ReadonlyMap<string, number> | undefined)[];
  private readonly known = new WeakMap<object, readonly Hold[]>();

  constructor(readonly rules: readonly ConflictRule[]) {
    this.index = ruleIndexOf(rules);
    this.sides = rules.map(sidesOf);
  }

  /** One for each rule that applies to the record; none for a record that conflicts with nothing, whatever comes. */
  of(record: { value: JsonValue }): readonly Hold[] {
    const known = this.known.get(record);
    if (known !== undefined) return known;
    const places = this.index.placesOf(record.value);
    const holds = places.length === 0 ? NOTHING : places.map((place) => this.holdAt(place));
    this.known.set(record, holds);
    return holds;
  }

  /** What records that are in flight together take, each side once. */
  ofAll(records: readonly { value: JsonValue }[]): Hold[] {
    const holds = records.flatMap((record) => this.of(record).map((hold) => [hold.key, hold] as const));
    return [...new Map(holds).values()];
  }

  private holdAt({ rule, place, side }: RulePlace): Hold {
    const slot = place === ANYWHERE ? String(rule) : `${rule}.${digestOf(place)}`;
    const named = side === ALONE ? undefined : this.nameOf(rule, side);
    return holdOf(named === undefined ? slot : `${slot}:${named}`);
  }

  private nameOf(rule: number, side: string): Side | undefined {
    if ('alike' in (this.rules[rule] ?? {})) {
      // What is packed is taken apart at spaces, colons and @, none of which it leaves.
      const text = TEXT_MARK + encodeURIComponent(side);
      return text.length > MAX_SIDE_LENGTH ? undefined : text;
    }
    const number = this.sides[rule]?.get(side);
    if (number === undefined) throw new TypeError(`rule ${rule} has no side ${side}`);
    return number;
  }
}

/** A hold by its key. */
export function holdOf(key: string): Hold {
  const [slot = '', side] = key.split(':');
  if (side?.startsWith(TEXT_MARK)) return { slot, side, key };
  return { slot, side: side === undefined ? WHOLE_SLOT : Number(side), key };
}

/** The numbers of a rule's sides; undefined where every record stands alone, or the rule doesn't name them. */
function sidesOf(rule: ConflictRule): ReadonlyMap<string, number> | undefined {
  if ('distinct' in rule || 'alike' in rule) return undefined;
  const sides: NonNullable<Place['side']>[] =
    'never' in rule ? ['left', 'right'] : (membersOf(rule)?.values ?? []).map(canonicalJson);
  return new Map(sides.map((side, number) => [side, number]));
}

/** At most 7 characters. */
function digestOf(text: string): string {
  return fnv1a(text).toString(36);
}
