import { FLUSH_REASON, type FlushReason } from '../records/batch';
import type { CutReason } from './cut-reason';

/** What a batch is like whose cut is told. */
interface TellableBatch {
  records: number;
  maxBatchSize: number;
  flushReason: FlushReason;
}

/** Longer rules are cut: they stand beside the text as they are. */
const MAX_RULE_LENGTH = 100;

/** In plain words why a batch went when it did and holds no more; `reason` is absent for a full one. */
export function tellCut({ records, maxBatchSize, flushReason }: TellableBatch, reason?: CutReason): string {
  const size = `${records} of ${maxBatchSize} records`;
  if (reason === undefined) return `${size}: full`;
  return `${size}: ${tellWhen(flushReason, reason.oldestMs)}, and ${tellWhy(reason)}`;
}

function tellWhen(flushReason: FlushReason, oldestMs: number): string {
  if (flushReason === FLUSH_REASON.manual) return 'everything was to go, by a flush by hand';
  if (flushReason === FLUSH_REASON.drain) return 'everything was to go, by a drain';
  return `its oldest record had waited for ${oldestMs} ms`;
}

function tellWhy({ why, left, unseen, fitting, keptOut, tooLarge }: CutReason): string {
  const seen = left - unseen;
  const those = `${seen} ${unseen > 0 ? `looked at of ${left} ` : ''}that ${seen === 1 ? 'was' : 'were'} left`;
  const rules = keptOut.map(({ rule, records }) => `kept out ${records} by ${ruleText(rule)}`);
  const larger = tooLarge > 0 ? [`${tooLarge} would make it too large in bytes`] : [];
  return [tellFirst(), ...rules, ...(why === 'bytes' ? [] : larger)].join('; ');

  function tellFirst(): string {
    switch (why) {
      case 'nothing_left':
        return 'no other record was buffered';
      case 'rules':
        return seen === 1 ? `the one ${those.slice(2)} conflicts with it` : `all ${those} conflict with it`;
      case 'bytes':
        return `of ${those}, ${tooLarge} would make it too large in bytes, and the others conflict with it`;
      case 'spread':
        return `${fitting} of ${those} would have fitted, and went to other batches`;
      case 'held_up':
        return `${fitting} of ${those} had to wait for what is in flight or ended less than APART_MS ago`;
      case 'paced':
        return `${fitting} of ${those} would have fitted, but had to wait for MAX_SAVES_PER_SECOND or went to other batches`;
    }
  }
}

function ruleText(rule: unknown): string {
  const text = JSON.stringify(rule);
  return text.length > MAX_RULE_LENGTH ? `${text.slice(0, MAX_RULE_LENGTH - 1)}…` : text;
}
