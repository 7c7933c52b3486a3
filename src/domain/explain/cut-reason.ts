import type { BufferedRecord, RecordBuffer } from '../buffer/buffer';
import type { ConflictRule } from '../rules';
import { MAX_BATCH_BYTES, type CutPolicy } from '../buffer/flush-cut';
import type { Flush } from '../buffer/flush-policy';
import { classifyRecords } from './record-classes';
import { WHY_NO_LARGER, explainInTurn, type ExplainedBatch, type WhyNoLarger } from './why-no-larger';

/**
 * In scope `running`: some remaining records would have fitted, but had to wait for a batch in flight, for `APART_MS`, or
 * for an older record that waits for one of these.
 */
export const HELD_UP = 'held_up';

/** With `MAX_SAVES_PER_SECOND` per value: some that were left would have fitted, and waited for it or are in other batches. */
export const PACED = 'paced';

/**
 * Why a partial batch has no more records. Determined when the batch leaves, because it depends on the buffer at that
 * moment. Full batches have no reason.
 */
export interface CutReason<Rule = ConflictRule> {
  why: Exclude<WhyNoLarger, 'full'> | typeof HELD_UP | typeof PACED;
  /** How long its oldest record had waited, in milliseconds. */
  oldestMs: number;
  /** Records that stayed in the buffer or left it after the batch, without those in pages. */
  left: number;
  /** How many of the records in `left` were not checked. The following counts cover the others. */
  unseen: number;
  /**
   * Records kept out, by rule, in the order of the rules; at most {@link MAX_LISTED_RULES}, those with most records.
   */
  keptOut: { rule: Rule; records: number }[];
  /** Records that no rule keeps out, but that would exceed the maximum size of a batch in bytes. */
  tooLarge: number;
  /** Records that could have been added. */
  fitting: number;
}

/** A flush, with the reason for its size if it is a partial batch. */
export interface ExplainedFlush extends Flush {
  cut?: CutReason;
}

/** A reason in the input of a child, where rules are indexes into the rules of its `cutBy`. */
export type StoredCutReason = CutReason<number>;

/** How many remaining records are checked: takes less than a millisecond, and only if a partial batch leaves. */
export const MAX_CHECKED = 256;

/** Bounds the size of a reason, which is written to histories, to a few hundred bytes. */
export const MAX_LISTED_RULES = 20;

/**
 * Adds the reasons to partial batches.
 * @param flushes from `takeFlushes`
 * @param buffer the buffer after that call
 */
export function withReasons(
  flushes: readonly Flush[],
  buffer: RecordBuffer,
  { maxBatchSize, conflicts: rules }: CutPolicy,
  nowMs: number,
): ExplainedFlush[] {
  if (flushes.every(({ records }) => records.length >= maxBatchSize)) return [...flushes];
  const remaining = someOf(buffer, MAX_CHECKED);
  const unseen = buffer.bufferedRecords - remaining.length;
  const records = [...flushes.flatMap((flush) => flush.records), ...remaining];
  const explain = explainInTurn(records, classifyRecords(records, rules), {
    maxBatchSize,
    maxBatchBytes: MAX_BATCH_BYTES,
  });
  return flushes.map((flush) => {
    const { why, ...counts } = explain(flush.records);
    if (why === WHY_NO_LARGER.full) return flush;
    const oldestMs = nowMs - Math.min(...flush.records.map(({ acceptedAtMs }) => acceptedAtMs));
    return { ...flush, cut: cutReason(why, counts, { rules, unseen, oldestMs }) };
  });
}

function cutReason(
  why: CutReason['why'],
  { left, keptOut, tooLarge, fitting }: Omit<ExplainedBatch<unknown>, 'why'>,
  { rules, unseen, oldestMs }: { rules: readonly ConflictRule[]; unseen: number; oldestMs: number },
): CutReason {
  const listed = [...keptOut]
    .sort((a, b) => b.records - a.records || a.rule - b.rule)
    .slice(0, MAX_LISTED_RULES);
  return {
    why,
    // Negative if the clock was set back.
    oldestMs: Math.max(0, oldestMs),
    left: left + unseen,
    unseen,
    keptOut: listed
      .sort((a, b) => a.rule - b.rule)
      .map(({ rule, records }) => ({ rule: rules[rule] as ConflictRule, records })),
    tooLarge,
    fitting,
  };
}

/** Up to `most` records of a buffer, without sorting it: first those that could fill up a batch, then full batches. */
function someOf({ partial, waiting, full }: RecordBuffer, most: number): BufferedRecord[] {
  const found: BufferedRecord[] = [];
  for (const records of [...partial, waiting, ...full]) {
    if (found.length >= most) break;
    found.push(...records.slice(0, most - found.length));
  }
  return found;
}

/**
 * The reason for the input of a child. Leaves out rules that are not in `rules`.
 * @param rules the rules in the `cutBy` of the child
 */
export function storedReason(
  { keptOut, ...reason }: CutReason,
  rules: readonly ConflictRule[],
): StoredCutReason {
  const places = keptOut.map(({ rule, records }) => ({ rule: rules.indexOf(rule), records }));
  return { ...reason, keptOut: places.filter(({ rule }) => rule >= 0) };
}

/**
 * The inverse of {@link storedReason}.
 * @param rules the rules in the `cutBy` of the child
 */
export function restoredReason(
  { keptOut, ...reason }: StoredCutReason,
  rules: readonly ConflictRule[],
): CutReason {
  const restored = keptOut.flatMap(({ rule, records }) => {
    const own = rules[rule];
    return own === undefined ? [] : [{ rule: own, records }];
  });
  return { ...reason, keptOut: restored };
}
