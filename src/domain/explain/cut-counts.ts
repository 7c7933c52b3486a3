import { ruleIndexOf } from '../running/rule-index';
import type { RecordBuffer } from '../buffer/buffer';
import type { ConflictRule } from '../rules';
import { ruleKey } from '../rules/rule';
import type { CutPolicy } from '../buffer/flush-cut';
import type { Flush } from '../buffer/flush-policy';
import { forgetPassed, noteReach, rulesBeyond, type Reaches } from './reaches';

/** Totals of the batches that left a buffer. Plain JSON. */
export interface CutCounts {
  batches: number;
  records: number;
  /** Total capacity of these batches, in records; each by the maximum batch size in force at the time. */
  places: number;
  /** By how many batches the cuts exceeded their lower bounds. */
  beyondBound: number;
  /**
   * Records that a rule deferred: a batch that left while the record was buffered had room or a younger record, and only
   * the rule kept the record out. Deferrals across runs of the batcher are not counted.
   */
  deferred: number;
  /** Deferred records by the index of a rule in force. A record that several rules deferred counts for each. */
  deferredBy: Record<string, number>;
}

export const NO_CUTS: Readonly<CutCounts> = {
  batches: 0,
  records: 0,
  places: 0,
  beyondBound: 0,
  deferred: 0,
  deferredBy: {},
};

/**
 * Adds batches that leave to the counts.
 * @param reaches of the batches that left before; updated
 * @param buffer the buffer after these batches have left it
 */
export function countCuts(
  counts: CutCounts,
  reaches: Reaches,
  flushes: readonly Flush[],
  buffer: RecordBuffer,
  { maxBatchSize, conflicts }: CutPolicy,
): void {
  const index = ruleIndexOf(conflicts);
  for (const { records, beyondBound } of flushes) {
    counts.batches++;
    counts.records += records.length;
    counts.places += maxBatchSize;
    if (beyondBound) counts.beyondBound++;
    const placed = records.map(({ value, seq }) => ({ seq, places: index.placesOf(value) }));
    for (const { seq, places } of placed) countDeferral(counts, rulesBeyond(reaches, places, seq));
    // A batch with room could have taken any record that was buffered, a full one any that is older than its youngest.
    const reach = records.length < maxBatchSize ? buffer.nextSeq : Math.max(...records.map(({ seq }) => seq));
    for (const { places } of placed) noteReach(reaches, places, reach);
  }
  forgetPassed(reaches, buffer);
}

function countDeferral(counts: CutCounts, rules: readonly number[]): void {
  if (rules.length > 0) counts.deferred++;
  for (const rule of rules) counts.deferredBy[rule] = (counts.deferredBy[rule] ?? 0) + 1;
}

/** The counts after the rules have changed: a rule that is still in force keeps its count under its new index. */
export function recountUnder(
  counts: CutCounts,
  before: readonly ConflictRule[],
  now: readonly ConflictRule[],
): CutCounts {
  const known = new Map(
    Object.entries(counts.deferredBy).flatMap(([place, records]) => {
      const rule = before[Number(place)];
      return rule === undefined ? [] : [[ruleKey(rule), records] as const];
    }),
  );
  const deferredBy = Object.fromEntries(
    known.size === 0
      ? []
      : now.flatMap((rule, place) => {
          const records = known.get(ruleKey(rule));
          return records === undefined ? [] : [[place, records] as const];
        }),
  );
  return { ...counts, deferredBy };
}

/** Bound of `deferredBy` in carried state and in answers: the rules that deferred most records. */
export const MAX_CARRIED_RULES = 100;

/** The counts for carried state: below 3 KiB, with at most {@link MAX_CARRIED_RULES} rules. */
export function carriedCounts(counts: CutCounts): CutCounts {
  return { ...counts, deferredBy: Object.fromEntries(mostDeferring(counts)) };
}

/** The {@link MAX_CARRIED_RULES} rules that deferred most records, in the order of the rules. */
export function topDeferrals(
  counts: CutCounts,
  rules: readonly ConflictRule[],
): { rule: ConflictRule; records: number }[] {
  return mostDeferring(counts).flatMap(([place, records]) => {
    const rule = rules[Number(place)];
    return rule === undefined ? [] : [{ rule, records }];
  });
}

function mostDeferring({ deferredBy }: CutCounts): [rule: string, records: number][] {
  return Object.entries(deferredBy)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_CARRIED_RULES)
    .sort(([a], [b]) => Number(a) - Number(b));
}
