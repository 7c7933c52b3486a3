import type { ConflictRule } from '../conflict-rules';
import { ALONE, type Place } from '../conflict-rules/places';
import { membersOf } from '../conflict-rules/rule';
import { fnv1a } from '../fnv1a';
import { canonicalJson, type JsonValue } from '../json';
import { ruleIndexOf, type RuleIndex, type RulePlace } from './rule-index';

/**
 * What a record takes while it is in flight: a side of a slot. Two records conflict exactly when they take the same slot
 * and not the same side of it, or when either takes it for itself alone. A slot is a place under a rule; what stands for
 * the place is a digest, so two places may be taken for one, which keeps records apart that needn't be: once in 4 · 10^9
 * pairs. Never the other way round: sides are numbered, not digested.
 */
export interface Hold {
  slot: string;
  side: number;
  /** Names slot and side, in a few characters, for as long as the rules stay the same. */
  key: string;
}

/** The side of a record that has the slot for itself alone. */
export const WHOLE_SLOT = -1;

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
    return holdOf(side === ALONE ? slot : `${slot}:${this.numberOf(rule, side)}`);
  }

  private numberOf(rule: number, side: string): number {
    const number = this.sides[rule]?.get(side);
    if (number === undefined) throw new TypeError(`rule ${rule} has no side ${side}`);
    return number;
  }
}

/** A hold by its key. */
export function holdOf(key: string): Hold {
  const [slot = '', side] = key.split(':');
  return { slot, side: side === undefined ? WHOLE_SLOT : Number(side), key };
}

/** The numbers of a rule's sides; undefined where every record stands alone. */
function sidesOf(rule: ConflictRule): ReadonlyMap<string, number> | undefined {
  if ('distinct' in rule) return undefined;
  const sides: NonNullable<Place['side']>[] =
    'never' in rule ? ['left', 'right'] : (membersOf(rule)?.values ?? []).map(canonicalJson);
  return new Map(sides.map((side, number) => [side, number]));
}

/** At most 7 characters. */
function digestOf(text: string): string {
  return fnv1a(text).toString(36);
}
