import type { BufferedRecord, RecordBuffer } from '../buffer/buffer';
import type { ConflictRule } from '../rules';
import { MAX_BATCH_BYTES, type CutPolicy } from '../buffer/flush-cut';
import type { Flush } from '../buffer/flush-policy';
import { spotRecords } from './spots';
import { WHY_NO_LARGER, explainInTurn, type ExplainedBatch, type WhyNoLarger } from './why-no-larger';

/**
 * Where conflicting records are kept apart while they run: some that were left would have fitted, and waited for a batch
 * in flight, for `APART_MS`, or for an older record that does.
 */
export const HELD_UP = 'held_up';

/** With `MAX_SAVES_PER_SECOND` per value: some that were left would have fitted, and waited for it or are in other batches. */
export const PACED = 'paced';

/**
 * Why a batch left the buffer with no more records than it has. It has to be told when the batch goes, as the buffer of
 * that moment is gone afterwards. Of a full batch there is nothing to tell.
 */
export interface CutReason<Rule = ConflictRule> {
  why: Exclude<WhyNoLarger, 'full'> | typeof HELD_UP | typeof PACED;
  /** How long its oldest record had waited, in milliseconds. */
  oldestMs: number;
  /** Records that stayed in the buffer or left it behind the batch, but for those in pages. */
  left: number;
  /** So many of them were not looked at; what follows is of the others. */
  unseen: number;
  /** By rule, in the order of the rules; at most {@link MAX_TOLD_RULES}, those that kept out the most. */
  keptOut: { rule: Rule; records: number }[];
  /** Kept out by no rule, but too large. */
  tooLarge: number;
  /** Kept out by nothing. */
  fitting: number;
}

/** A flush with the reason why it holds no more records; a full one has none. */
export interface ExplainedFlush extends Flush {
  cut?: CutReason;
}

/** As it stands with a batch: rules by their places in its `cutBy`. */
export type StoredCutReason = CutReason<number>;

/**
 * Records that stay in the buffer are looked at up to this many, whatever its length: less than a millisecond, and only
 * where a batch goes that isn't full.
 */
export const MAX_LOOKED_AT = 256;

/** Reasons stand in histories: a few hundred bytes each at most. */
export const MAX_TOLD_RULES = 20;

/**
 * The same flushes, each that isn't full with the reason.
 * @param flushes what `takeFlushes` gave
 * @param buffer what was left then
 */
export function withReasons(
  flushes: readonly Flush[],
  buffer: RecordBuffer,
  { maxBatchSize, conflicts: rules }: CutPolicy,
  nowMs: number,
): ExplainedFlush[] {
  if (flushes.every(({ records }) => records.length >= maxBatchSize)) return [...flushes];
  const behind = someOf(buffer, MAX_LOOKED_AT);
  const unseen = buffer.bufferedRecords - behind.length;
  const records = [...flushes.flatMap((flush) => flush.records), ...behind];
  const explain = explainInTurn(records, spotRecords(records, rules), {
    maxBatchSize,
    maxBatchBytes: MAX_BATCH_BYTES,
  });
  return flushes.map((flush) => {
    const { why, ...counts } = explain(flush.records);
    if (why === WHY_NO_LARGER.full) return flush;
    const oldestMs = nowMs - Math.min(...flush.records.map(({ acceptedAtMs }) => acceptedAtMs));
    return { ...flush, cut: reasonOf(why, counts, { rules, unseen, oldestMs }) };
  });
}

function reasonOf(
  why: CutReason['why'],
  { left, keptOut, tooLarge, fitting }: Omit<ExplainedBatch<unknown>, 'why'>,
  { rules, unseen, oldestMs }: { rules: readonly ConflictRule[]; unseen: number; oldestMs: number },
): CutReason {
  const told = [...keptOut].sort((a, b) => b.records - a.records || a.rule - b.rule).slice(0, MAX_TOLD_RULES);
  return {
    why,
    // A clock that is set back makes no record younger than new.
    oldestMs: Math.max(0, oldestMs),
    left: left + unseen,
    unseen,
    keptOut: told
      .sort((a, b) => a.rule - b.rule)
      .map(({ rule, records }) => ({ rule: rules[rule] as ConflictRule, records })),
    tooLarge,
    fitting,
  };
}

/** Records of a buffer without sorting it: first those that a batch may still be filled up with, then full batches. */
function someOf({ partial, waiting, full }: RecordBuffer, most: number): BufferedRecord[] {
  const found: BufferedRecord[] = [];
  for (const records of [...partial, waiting, ...full]) {
    if (found.length >= most) break;
    found.push(...records.slice(0, most - found.length));
  }
  return found;
}

/** @param rules those that stand with the batch */
export function storedReason(
  { keptOut, ...reason }: CutReason,
  rules: readonly ConflictRule[],
): StoredCutReason {
  const places = keptOut.map(({ rule, records }) => ({ rule: rules.indexOf(rule), records }));
  return { ...reason, keptOut: places.filter(({ rule }) => rule >= 0) };
}

/** @param rules those that stand with the batch */
export function restoredReason(
  { keptOut, ...reason }: StoredCutReason,
  rules: readonly ConflictRule[],
): CutReason {
  const told = keptOut.flatMap(({ rule, records }) => {
    const own = rules[rule];
    return own === undefined ? [] : [{ rule: own, records }];
  });
  return { ...reason, keptOut: told };
}
