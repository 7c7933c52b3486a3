import type { BatchInput } from '../children/batch-reader';
import type { CutStatus } from '../../contracts/workflow/batcher';
import type { BatchCutView } from '../../contracts/api/answers/batches';
import type { RuleCountView } from '../../contracts/api/answers/rules';
import type { CutsView } from '../../contracts/api/answers/status';
import { WHY_NO_LARGER } from '../../domain/explain';
import { restoredReason } from '../../domain/explain/cut-reason';
import { cutText } from '../../domain/explain/cut-text';
import { ruleKey } from '../../domain/rules/rule';

/** Why a batch ends where it does. */
export function cutViewOf({ batch, cutBy, cut }: BatchInput): BatchCutView {
  const { maxBatchSize, rules } = cutBy;
  const size = { records: batch.records.length, maxBatchSize, flushReason: batch.flushReason };
  if (cut !== undefined) {
    const reason = restoredReason(cut, rules);
    return { text: cutText(size, reason), maxBatchSize, ...reason };
  }
  return { text: cutText(size), maxBatchSize, why: WHY_NO_LARGER.full, ...NOTHING_TOLD };
}

const NOTHING_TOLD = { oldestMs: null, left: null, unseen: null, keptOut: [], tooLarge: null, fitting: null };

/** Statistics of the batches of some shards, summed. */
export function cutsView(shards: readonly CutStatus[]): CutsView {
  const sum = (pick: (shard: CutStatus) => number) => shards.reduce((total, shard) => total + pick(shard), 0);
  const batches = sum((shard) => shard.batches);
  const records = sum((shard) => shard.records);
  const places = sum((shard) => shard.places);
  return {
    batches,
    records,
    places,
    fillRatio: places === 0 ? null : records / places,
    lowerBound: batches - sum((shard) => shard.beyondBound),
    deferred: sum((shard) => shard.deferred),
    deferredBy: sumByRule(shards.flatMap((shard) => shard.deferredBy)),
  };
}

/** Shards may briefly have different rules. */
function sumByRule(counts: readonly RuleCountView[]): RuleCountView[] {
  const sums = new Map<string, RuleCountView>();
  for (const { rule, records } of counts) {
    const text = ruleKey(rule);
    sums.set(text, { rule, records: records + (sums.get(text)?.records ?? 0) });
  }
  return [...sums.values()];
}
