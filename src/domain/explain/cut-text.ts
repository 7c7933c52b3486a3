import { FLUSH_REASON, type FlushReason } from '../records/batch';
import type { CutReason } from './cut-reason';

/** The batch that a text is about. */
interface DescribedBatch {
  /** Number of its records. */
  records: number;
  maxBatchSize: number;
  flushReason: FlushReason;
}

/** Longer rules are shortened in the text; views have them in full beside it. */
const MAX_RULE_LENGTH = 100;

/**
 * Says in one sentence why a batch left when it did, and why it has no more records. `reason` is absent for full
 * batches.
 */
export function cutText({ records, maxBatchSize, flushReason }: DescribedBatch, reason?: CutReason): string {
  const size = `${records} of ${maxBatchSize} records`;
  if (reason === undefined) return `${size}: full`;
  return `${size}: ${whenText(flushReason, reason.oldestMs)}, and ${whyText(reason)}`;
}

function whenText(flushReason: FlushReason, oldestMs: number): string {
  if (flushReason === FLUSH_REASON.manual) return 'it was flushed manually';
  if (flushReason === FLUSH_REASON.drain) return 'it was flushed by a drain';
  return `its oldest record had waited ${oldestMs} ms`;
}

function whyText({ why, left, unseen, fitting, keptOut, tooLarge }: CutReason): string {
  const seen = left - unseen;
  const remaining = `${seen} ${unseen > 0 ? `checked of ${left} ` : ''}remaining record${seen === 1 ? '' : 's'}`;
  const rules = keptOut.map(({ rule, records }) => `${ruleText(rule)} kept out ${records}`);
  const larger = tooLarge > 0 ? [`${tooLarge} would make it too large in bytes`] : [];
  return [mainReason(), ...rules, ...(why === 'bytes' ? [] : larger)].join('; ');

  function mainReason(): string {
    switch (why) {
      case 'nothing_left':
        return 'no other record was buffered';
      case 'rules':
        return seen === 1
          ? `the ${remaining.slice(2)} conflicts with it`
          : `all ${remaining} conflict with it`;
      case 'bytes':
        return `of ${remaining}, ${tooLarge} would make it too large in bytes, and the others conflict with it`;
      case 'spread':
        return `${fitting} of ${remaining} would have fitted but went to other batches`;
      case 'held_up':
        return `${fitting} of ${remaining} had to wait for conflicting batches in flight, or for APART_MS after their end`;
      case 'paced':
        return `${fitting} of ${remaining} would have fitted, but had to wait for MAX_SAVES_PER_SECOND or went to other batches`;
    }
  }
}

function ruleText(rule: unknown): string {
  const text = JSON.stringify(rule);
  return text.length > MAX_RULE_LENGTH ? `${text.slice(0, MAX_RULE_LENGTH - 1)}…` : text;
}
