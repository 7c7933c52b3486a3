import { proxySinks } from '@temporalio/workflow';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import type { ClosedBatchReport, EarlyEndReport, Occurrence } from '../../src/contracts/instruments';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import type { FlushReason } from '../../src/domain/records/batch';
import { OUTCOME, tallyOutcomes } from '../../src/domain/records/outcome';
import type { OpenBatch } from './child';
import type { SettledBatch } from './rolling-back';

/*
 * What a child tells whoever measures: a call for each wave of batches, none for single records, none in a replay. A
 * worker that dies takes with it what it has counted, and may count again what it repeats: figures, not the truth.
 */

const { metrics } = proxySinks<WorkerSinks>();

/** Reports batches that have just got their files. */
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

/** Reports batches whose child closed without completing, as they are to be settled. */
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

/** By run of the packed records, which came together. */
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
