import { ruleIndexOf } from '../running/rule-index';
import type { ConflictRule } from '../rules';
import { ALONE, type Place } from '../rules/places';
import type { JsonValue } from '../json';

/** The number of the side {@link ALONE}; other sides are numbered from 1. */
export const ALONE_SIDE = 0;

/** A side of a place, by numbers. */
export interface PlaceSide {
  /** Index into {@link ClassifiedRecords.places}. */
  place: number;
  side: number;
}

/** A place with the records that are there. */
export interface OccupiedPlace {
  /** Index of its rule. */
  rule: number;
  /** Number of sides that have records. */
  sides: number;
  records: number;
  /** The classes that have records there, with their sides. */
  classes: { recordClass: number; side: number }[];
}

/** Records by class. All records of a class are at the same sides of the same places, so that rules can't distinguish them. */
export interface ClassifiedRecords {
  /** The class of each record, by its index. */
  classOf: Int32Array;
  /** The places of each class, at most one per rule. */
  placesOf: readonly (readonly PlaceSide[])[];
  places: readonly OccupiedPlace[];
}

/** Whether a record on `side` is kept apart from a record on any of these sides of the same place. */
export function conflictsWith(sides: ReadonlySet<number>, side: number): boolean {
  return sides.size > 1 || side === ALONE_SIDE || !sides.has(side);
}

/** Classifies records. Ignores places without conflicts, which most places of a `distinct` rule are. */
export function classifyRecords(
  records: readonly { value: JsonValue }[],
  rules: readonly ConflictRule[],
): ClassifiedRecords {
  const { places, placesOfRecords } = placeRecords(records, rules);
  const conflicting = places.map(({ records, sides, alone }) => records > 1 && (alone || sides > 1));
  const classOf = new Int32Array(records.length);
  const placesOf: (readonly PlaceSide[])[] = [];
  const known = new Map<string, number>();
  for (const [index, all] of placesOfRecords.entries()) {
    const kept = all.filter(({ place }) => conflicting[place]);
    const key = kept.map(({ place, side }) => `${place}:${side}`).join();
    const before = known.get(key);
    const recordClass = before ?? placesOf.length;
    classOf[index] = recordClass;
    if (before !== undefined) continue;
    known.set(key, recordClass);
    placesOf.push(kept);
    for (const { place, side } of kept) places[place]?.classes.push({ recordClass, side });
  }
  return { classOf, placesOf, places };
}

/** A place while records are being added. */
interface FilledPlace extends OccupiedPlace {
  alone: boolean;
  sideNumbers: Map<Place['side'], number>;
}

function placeRecords(records: readonly { value: JsonValue }[], rules: readonly ConflictRule[]) {
  const index = ruleIndexOf(rules);
  const places: FilledPlace[] = [];
  const numbers = rules.map(() => new Map<string, number>());
  const placesOfRecords = records.map(({ value }) =>
    index.placesOf(value).map(({ rule, place, side }): PlaceSide => {
      const ofRule = numbers[rule] as Map<string, number>;
      let number = ofRule.get(place);
      if (number === undefined) {
        ofRule.set(place, (number = places.length));
        places.push({ rule, sides: 0, records: 0, classes: [], alone: false, sideNumbers: new Map() });
      }
      return { place: number, side: fill(places[number] as FilledPlace, side) };
    }),
  );
  return { places, placesOfRecords };
}

/** Adds a record to a place, and returns the number of its side. */
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
