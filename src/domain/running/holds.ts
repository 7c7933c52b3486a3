import type { ConflictRule } from '../rules';
import { ALONE, type Place } from '../rules/places';
import { membersOf } from '../rules/rule';
import { fnv1a } from '../fnv1a';
import { canonicalJson, type JsonValue } from '../json';
import { ruleIndexOf, type RuleIndex, type RulePlace } from './rule-index';

/**
 * A side of a place under a rule, which a record holds while it is in flight. Two records conflict exactly if they hold
 * different sides of the same place, or if either holds the whole place. Places are digests, so in 1 of 4 · 10^9 pairs
 * two places are the same hold, which keeps records apart unnecessarily but never lets a conflict through: sides are not
 * digests. They are numbered, or written in full if the rule doesn't name them (`alike`).
 */
export interface Hold {
  place: string;
  side: Side;
  /** Short name of place and side, valid while the rules stay the same. */
  key: string;
}

/** The number of a side that the rule names; otherwise its text after {@link TEXT_MARK}. */
export type Side = number | string;

/** The side of a record that must be alone at its place. */
export const WHOLE_PLACE = -1;

/** Whether records on these sides of one place conflict. */
export function sidesConflict(a: Side, b: Side): boolean {
  return a !== b || a === WHOLE_PLACE;
}

/** Starts a side that is a text. */
const TEXT_MARK = '=';

/**
 * A record whose side is a longer text (URI-encoded) holds the whole place instead, because the size of all holds is
 * bounded. It is then also kept apart from records on the same side.
 */
const MAX_SIDE_LENGTH = 100;

/** The place of a rule without `same`, which applies between all records. */
const ANYWHERE = canonicalJson([]);

const NONE: readonly Hold[] = [];

/**
 * Computes the holds of records under a list of rules. Caches them by record, as waiting records are checked
 * repeatedly.
 */
export class Holds {
  private readonly index: RuleIndex;
  private readonly sides: (ReadonlyMap<string, number> | undefined)[];
  private readonly known = new WeakMap<object, readonly Hold[]>();

  constructor(readonly rules: readonly ConflictRule[]) {
    this.index = ruleIndexOf(rules);
    this.sides = rules.map(sidesOf);
  }

  /** The holds of a record: one per rule that applies to it, so none if it can't conflict with anything. */
  of(record: { value: JsonValue }): readonly Hold[] {
    const known = this.known.get(record);
    if (known !== undefined) return known;
    const places = this.index.placesOf(record.value);
    const holds = places.length === 0 ? NONE : places.map((place) => this.holdAt(place));
    this.known.set(record, holds);
    return holds;
  }

  /** The distinct holds of several records. */
  ofAll(records: readonly { value: JsonValue }[]): Hold[] {
    const holds = records.flatMap((record) => this.of(record).map((hold) => [hold.key, hold] as const));
    return [...new Map(holds).values()];
  }

  private holdAt({ rule, place, side }: RulePlace): Hold {
    // A digest has at most 7 characters.
    const held = place === ANYWHERE ? String(rule) : `${rule}.${fnv1a(place).toString(36)}`;
    const named = side === ALONE ? undefined : this.nameOf(rule, side);
    return holdOf(named === undefined ? held : `${held}:${named}`);
  }

  private nameOf(rule: number, side: string): Side | undefined {
    if ('alike' in (this.rules[rule] ?? {})) {
      // Packed holds are separated by spaces, colons and @, all of which encodeURIComponent escapes.
      const text = TEXT_MARK + encodeURIComponent(side);
      return text.length > MAX_SIDE_LENGTH ? undefined : text;
    }
    const number = this.sides[rule]?.get(side);
    if (number === undefined) throw new TypeError(`rule ${rule} has no side ${side}`);
    return number;
  }
}

/** The index of a hold's rule, and the digest of its place under that rule. */
export function ruleAndDigestOf({ place }: Hold): [rule: number, digest: string] {
  const [rule = '', digest = ''] = place.split('.');
  return [Number(rule), digest];
}

/** Parses the key of a hold. */
export function holdOf(key: string): Hold {
  const [place = '', side] = key.split(':');
  if (side?.startsWith(TEXT_MARK)) return { place, side, key };
  return { place, side: side === undefined ? WHOLE_PLACE : Number(side), key };
}

/**
 * The numbers of a rule's sides; undefined if each record is alone (`distinct`), or the rule doesn't name sides
 * (`alike`).
 */
function sidesOf(rule: ConflictRule): ReadonlyMap<string, number> | undefined {
  if ('distinct' in rule || 'alike' in rule) return undefined;
  const sides: NonNullable<Place['side']>[] =
    'never' in rule ? ['left', 'right'] : (membersOf(rule)?.values ?? []).map(canonicalJson);
  return new Map(sides.map((side, number) => [side, number]));
}
