import { ruleIndexOf } from '../running/rule-index';
import type { RecordBuffer } from '../buffer/buffer';
import type { ConflictRule } from '../rules';
import { ruleKey } from '../rules/rule';
import type { CutPolicy } from '../buffer/flush-cut';
import type { Flush } from '../buffer/flush-policy';
import { forgetPassed, noteReach, rulesBeyond, type Reaches } from './passed-over';

/** What batches that left a buffer were like, summed up. Plain JSON. */
export interface CutCounts {
  batches: number;
  records: number;
  /** So many records the batches could have held, each by the size in force then. */
  places: number;
  /** Batches more than the lower bound of what they were cut from. */
  beyondBound: number;
  /**
   * Records that a rule kept out of a batch which left before them, while they were buffered, with room or with a younger
   * record. Known within a run of the batcher only.
   */
  deferred: number;
  /** The same by the index of a rule in force; a record that several deferred counts for each. */
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
 * Counts batches as they leave.
 * @param reaches how far those that left before reach; brought up to date
 * @param buffer what was left behind all of them
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
    // One with room reaches over everything that was buffered then, a full one up to its youngest record.
    const reach = records.length < maxBatchSize ? buffer.nextSeq : Math.max(...records.map(({ seq }) => seq));
    for (const { places } of placed) noteReach(reaches, places, reach);
  }
  forgetPassed(reaches, buffer);
}

function countDeferral(counts: CutCounts, rules: readonly number[]): void {
  if (rules.length > 0) counts.deferred++;
  for (const rule of rules) counts.deferredBy[rule] = (counts.deferredBy[rule] ?? 0) + 1;
}

/** The counts when other rules are in force: those of a rule that stays stay, wherever it stands now. */
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

/** Of a thousand rules in force, the next run of a batcher is told those that deferred the most. */
export const MAX_CARRIED_RULES = 100;

/** The counts as they are handed over: below 3 KiB. */
export function carriedCounts(counts: CutCounts): CutCounts {
  return { ...counts, deferredBy: Object.fromEntries(mostDeferring(counts)) };
}

/** By rule, at most {@link MAX_CARRIED_RULES}: those that deferred the most, in the order of the rules. */
export function toldDeferrals(
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
