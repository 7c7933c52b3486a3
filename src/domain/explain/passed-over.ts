import type { RulePlace } from '../running/rule-index';
import { oldestRecord, type RecordBuffer } from '../buffer/buffer';
import { ALONE, type Place } from '../rules/places';
import { extended, reachAgainst, type PlaceReach } from './reach';

/** By rule and place, how far what was or is there reaches in the order of acceptance. Lives no longer than the rules. */
export type Reaches = Map<string, PlaceReach<Place['side']>>;

/** The rules that keep a record apart from something that reaches beyond it, in their order. */
export function rulesBeyond(reaches: Reaches, places: readonly RulePlace[], seq: number): number[] {
  return places
    .filter((at) => reachAgainst(reaches.get(keyOf(at)), at.side, ALONE) > seq)
    .map(({ rule }) => rule);
}

/** Notes that something stands at these places which reaches so far. */
export function noteReach(reaches: Reaches, places: readonly RulePlace[], seq: number): void {
  for (const at of places) {
    const key = keyOf(at);
    reaches.set(key, extended(reaches.get(key), { side: at.side, seq }));
  }
}

/** More places aren't remembered: some hundred bytes each. */
const MAX_PLACES = 10_000;

/**
 * Forgets what reaches over no record that is buffered, where it takes too much room. Where more than half of the room is
 * needed all the same, everything: looking through it for each batch would cost more than the counts are worth.
 */
export function forgetPassed(reaches: Reaches, buffer: RecordBuffer): void {
  if (buffer.bufferedRecords === 0) reaches.clear();
  if (reaches.size <= MAX_PLACES) return;
  const oldestSeq = oldestRecord(buffer)?.seq ?? Infinity;
  for (const [key, { farthest }] of reaches) if (farthest.seq <= oldestSeq) reaches.delete(key);
  if (reaches.size > MAX_PLACES / 2) reaches.clear();
}

function keyOf({ rule, place }: RulePlace): string {
  return `${rule} ${place}`;
}
