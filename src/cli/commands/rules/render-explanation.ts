import type { ConflictRule } from '../../../domain/rules';
import type { ExplainedBatch, Explanation, RuleCount } from '../../../domain/explain';
import type { JsonValue } from '../../../domain/json';
import { count, counted } from '../../../domain/format';
import { short, percent } from '../../terminal/text';
import { ruleText } from './read-rules';

/** More is cut for a person; `--json` has all. */
const MAX_BATCHES = 500;
const MAX_RECORDS = 20;

export interface ShownExplanation extends Explanation<JsonValue> {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
}

/** Each batch with why it is no larger, then the sums. */
export function renderExplanation({ batches, summary, rules, maxBatchSize }: ShownExplanation): string {
  const shown = batches.slice(0, MAX_BATCHES);
  const more = batches.length - shown.length;
  return [
    ...shown.flatMap((batch, index) => [
      `batch ${count(index + 1)}: ${batch.records.length} of ${maxBatchSize}, ${whyText(batch)}`,
      `  ${recordsText(batch)}`,
      ...ruleLines(batch.keptOut, rules, 'kept out'),
    ]),
    ...(more > 0 ? [`… and ${counted(more, 'batch')} more`] : []),
    ...(batches.length > 0 ? [''] : []),
    `${counted(summary.records, 'record')} in ${counted(summary.batches, 'batch')} of at most ${maxBatchSize}: ${percent(summary.fillRatio)} full.`,
    boundText(summary),
    summary.deferred === 0
      ? 'No record was deferred by a rule.'
      : `Deferred by rules: ${counted(summary.deferred, 'record')}, behind a batch with room or with a younger record.`,
    ...ruleLines(summary.deferredBy, rules, 'deferred'),
    '',
  ].join('\n');
}

function whyText({ why, left, tooLarge, fitting }: ExplainedBatch<unknown>): string {
  const larger = tooLarge > 0 ? `, and ${count(tooLarge)} would make it too large in bytes` : '';
  switch (why) {
    case 'full':
      return 'full';
    case 'nothing_left':
      return 'nothing was left';
    case 'rules':
      if (left === 1) return 'the one record left conflicts with it';
      return `${left === 2 ? 'both' : `all ${count(left)}`} left conflict with it`;
    case 'bytes':
      return `of ${count(left)} left, those that don't conflict with it would make it too large in bytes`;
    case 'spread':
      return `${count(fitting)} of ${count(left)} left would have fitted, and went to later batches${larger}`;
  }
}

function recordsText({ records }: ExplainedBatch<JsonValue>): string {
  const shown = records.slice(0, MAX_RECORDS).map((record) => short(JSON.stringify(record)));
  const more = records.length - shown.length;
  return `${shown.join('  ')}${more > 0 ? `  … and ${count(more)} more` : ''}`;
}

function ruleLines(counts: readonly RuleCount[], rules: readonly ConflictRule[], did: string): string[] {
  return counts.map(({ rule, records }) => `  ${did} ${count(records)} by ${ruleText(rules[rule])}`);
}

function boundText({ batches, lowerBound }: Explanation<unknown>['summary']): string {
  if (batches === lowerBound) return 'No cut has fewer batches.';
  return `Every cut has at least ${counted(lowerBound, 'batch')}; whether one has fewer than this is not known.`;
}
