import type { RulePlace } from '../running/rule-index';
import { oldestRecord, type RecordBuffer } from '../buffer/buffer';
import { ALONE, type Place } from '../rules/places';
import { extended, reachAgainst, type PlaceReach } from './reach';

/** The reaches of batches that have left, by rule and place. Cleared when the rules change. */
export type Reaches = Map<string, PlaceReach<Place['side']>>;

/** The rules, in order, that deferred a record: they keep it apart from a record whose reach is beyond `seq`. */
export function rulesBeyond(reaches: Reaches, places: readonly RulePlace[], seq: number): number[] {
  return places
    .filter((at) => reachAgainst(reaches.get(placeKey(at)), at.side, ALONE) > seq)
    .map(({ rule }) => rule);
}

/** Records that something at these places reaches up to `seq`. */
export function noteReach(reaches: Reaches, places: readonly RulePlace[], seq: number): void {
  for (const at of places) {
    const key = placeKey(at);
    reaches.set(key, extended(reaches.get(key), { side: at.side, seq }));
  }
}

/** Bound of the places that are remembered, which take some hundred bytes each. */
const MAX_PLACES = 10_000;

/**
 * Beyond {@link MAX_PLACES}, forgets the reaches that end before the oldest buffered record. If more than half of the
 * places remain, forgets all: searching them for each batch would cost more than the counts are worth.
 */
export function forgetPassed(reaches: Reaches, buffer: RecordBuffer): void {
  if (buffer.bufferedRecords === 0) reaches.clear();
  if (reaches.size <= MAX_PLACES) return;
  const oldestSeq = oldestRecord(buffer)?.seq ?? Infinity;
  for (const [key, { farthest }] of reaches) if (farthest.seq <= oldestSeq) reaches.delete(key);
  if (reaches.size > MAX_PLACES / 2) reaches.clear();
}

function placeKey({ rule, place }: RulePlace): string {
  return `${rule} ${place}`;
}
