import { ruleIndexOf } from '../running/rule-index';
import type { ConflictRule } from '../rules';
import { ALONE, type Place } from '../rules/places';
import type { JsonValue } from '../json';

/** The side of a record that shares its place with no other; the others are numbered from 1. */
export const ALONE_SIDE = 0;

/** Where one rule has put a record. */
export interface Spot {
  /** Index into {@link Spotted.places}. */
  place: number;
  side: number;
}

/** A place at which records are kept apart. */
export interface SpottedPlace {
  rule: number;
  /** How many sides have records, and how many records there are. */
  sides: number;
  records: number;
  /** The classes that have a record there, each with its side. */
  classes: { recordClass: number; side: number }[];
}

/** Records by where rules have put them. Those that are at the same spots are of one class: rules can't tell them apart. */
export interface Spotted {
  /** By index of the record. */
  classOf: Int32Array;
  /** By class; at most one for each rule. */
  spots: readonly (readonly Spot[])[];
  places: readonly SpottedPlace[];
}

/** Whether a record on a side is kept apart from one at least of those that are on some sides of the same place. */
export function conflictsWith(sides: ReadonlySet<number>, side: number): boolean {
  return sides.size > 1 || side === ALONE_SIDE || !sides.has(side);
}

/** Asks each rule once for each record. Places at which nothing conflicts are left out, as most of a `distinct` are. */
export function spotRecords(
  records: readonly { value: JsonValue }[],
  rules: readonly ConflictRule[],
): Spotted {
  const { places, spotsOf } = everySpot(records, rules);
  const conflicting = places.map(({ records, sides, alone }) => records > 1 && (alone || sides > 1));
  const classOf = new Int32Array(records.length);
  const spots: (readonly Spot[])[] = [];
  const known = new Map<string, number>();
  for (const [index, all] of spotsOf.entries()) {
    const kept = all.filter(({ place }) => conflicting[place]);
    const key = kept.map(({ place, side }) => `${place}:${side}`).join();
    const before = known.get(key);
    const recordClass = before ?? spots.length;
    classOf[index] = recordClass;
    if (before !== undefined) continue;
    known.set(key, recordClass);
    spots.push(kept);
    for (const { place, side } of kept) places[place]?.classes.push({ recordClass, side });
  }
  return { classOf, spots, places };
}

/** A place while records are still put there. */
interface FilledPlace extends SpottedPlace {
  alone: boolean;
  sideNumbers: Map<Place['side'], number>;
}

function everySpot(records: readonly { value: JsonValue }[], rules: readonly ConflictRule[]) {
  const index = ruleIndexOf(rules);
  const places: FilledPlace[] = [];
  const numbers = rules.map(() => new Map<string, number>());
  const spotsOf = records.map(({ value }) =>
    index.placesOf(value).map(({ rule, place, side }): Spot => {
      const ofRule = numbers[rule] as Map<string, number>;
      let number = ofRule.get(place);
      if (number === undefined) {
        ofRule.set(place, (number = places.length));
        places.push({ rule, sides: 0, records: 0, classes: [], alone: false, sideNumbers: new Map() });
      }
      return { place: number, side: fill(places[number] as FilledPlace, side) };
    }),
  );
  return { places, spotsOf };
}

/** Counts a record in, and gives the number of its side. */
function fill(place: FilledPlace, side: Place['side']): number {
  place.records++;
  place.alone ||= side === ALONE;
  let number = place.sideNumbers.get(side);
  if (number === undefined) {
    place.sides++;
    place.sideNumbers.set(side, (number = side === ALONE ? ALONE_SIDE : place.sideNumbers.size + 1));
  }
  return number;
}
