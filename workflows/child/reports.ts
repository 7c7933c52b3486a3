import { proxySinks } from '@temporalio/workflow';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import type { ClosedBatchReport, EarlyEndReport, Occurrence } from '../../src/contracts/instruments';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import type { FlushReason } from '../../src/domain/records/batch';
import { OUTCOME, tallyOutcomes } from '../../src/domain/records/outcome';
import type { OpenBatch, SettledBatch } from './open-batch';

/*
 * Metrics of children: one call per wave of batches, none per record, none during replay. Metrics are approximate: a
 * worker that dies loses its counts, and a repeated workflow task is counted twice.
 */

const { metrics } = proxySinks<WorkerSinks>();

/** Reports batches that were just closed. */
export function reportClosed(closed: readonly SettledBatch[], { cutBy }: ChildPolicy): void {
  const nowMs = Date.now();
  metrics.batchesClosed(
    closed.map(({ batch, outcomes }): ClosedBatchReport => {
      const { saved, rolledBack } = tallyOutcomes(outcomes);
      return {
        reason: batch.flushReason,
        places: cutBy.maxBatchSize,
        tookMs: nowMs - batch.ref.openedAtMs,
        saved,
        rolledBack,
        undoFailed: outcomes.filter(({ rollbackError }) => rollbackError !== undefined).length,
        attempts: occurrences(outcomes.map(({ attempts }) => attempts).filter((attempts) => attempts > 0)),
        waits: waitsIn(batch, outcomes),
      };
    }),
  );
}

/** Reports batches that will be settled, because an earlier run of their child ended early. */
export function reportEarlyEnd(batches: readonly OpenBatch[]): void {
  const counts = new Map<FlushReason, number>();
  for (const { flushReason } of batches) counts.set(flushReason, (counts.get(flushReason) ?? 0) + 1);
  metrics.batchesEndedEarly(
    [...counts].map(([reason, count]): EarlyEndReport => ({ reason, batches: count })),
  );
}

function occurrences(values: readonly number[]): Occurrence[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts];
}

/** One entry per run of the packed records, which were accepted together. */
function waitsIn(
  { packed, waitedMs }: OpenBatch,
  outcomes: SettledBatch['outcomes'],
): ClosedBatchReport['waits'] {
  let first = 0;
  return waitedMs.flatMap((waited, run) => {
    const length = packed[run]?.[2].length ?? 0;
    const ended = outcomes.slice(first, (first += length));
    const saved = ended.filter(({ outcome }) => outcome === OUTCOME.saved).length;
    return [{ waitedMs: waited, saved, rolledBack: ended.length - saved }];
  });
}
