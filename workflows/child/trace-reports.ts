import { proxySinks } from '@temporalio/workflow';
import type { ClosedBatchTrace, RecordTrace } from '../../src/contracts/tracing';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import { OUTCOME, tallyOutcomes } from '../../src/domain/records/outcome';
import { indexOf, requestIdOf } from '../../src/domain/records/record';
import { LEAST_SLOW_MS, MAX_RECORD_SPANS } from '../../src/domain/records/trace-context';
import type { SettledBatch } from './open-batch';

/*
 * What becomes spans of closed batches: one call per wave of batches, none during replay, and none for batches that
 * nobody may want to see. The worker makes the spans, or drops the report if it has no traces.
 */

const { traces } = proxySinks<WorkerSinks>();

/** A batch that was just closed. */
export interface PublishedBatch extends SettledBatch {
  location: string;
  /** Whether its child ended early. */
  settled: boolean;
}

/** Reports the batches that may be traced: sampled ones, and those with a failure or that took long. */
export function reportToTraces(closed: readonly PublishedBatch[]): void {
  const nowMs = Date.now();
  const traced = closed.filter((batch) => mayBeTraced(batch, nowMs));
  if (traced.length > 0) traces.batchesClosed(traced.map((batch) => reportOf(batch, nowMs)));
}

function mayBeTraced({ batch, outcomes, settled }: PublishedBatch, nowMs: number): boolean {
  return (
    batch.traces.size > 0 ||
    settled ||
    nowMs - batch.ref.openedAtMs >= LEAST_SLOW_MS ||
    outcomes.some(({ outcome }) => outcome === OUTCOME.rolledBack)
  );
}

function reportOf(published: PublishedBatch, closedAtMs: number): ClosedBatchTrace {
  const { batch, outcomes, location, settled } = published;
  return {
    ...batch.ref,
    ...tallyOutcomes(outcomes),
    reason: batch.flushReason,
    closedAtMs,
    location,
    requests: new Set(batch.packed.map(([requestId]) => requestId)).size,
    contexts: [...batch.traces.values()],
    undoFailed: outcomes.filter(({ rollbackError }) => rollbackError !== undefined).length,
    settled,
    records: recordsOf(published),
  };
}

/** The first records of each sampled request, and the first of the others that were rolled back. */
function recordsOf({ batch, outcomes }: PublishedBatch): RecordTrace[] {
  const accepted = acceptedAtMs(batch);
  let others = 0;
  return outcomes.flatMap(({ recordId, outcome, attempts, atMs, rollbackError }, place): RecordTrace[] => {
    const context =
      indexOf(recordId) < MAX_RECORD_SPANS ? batch.traces.get(requestIdOf(recordId)) : undefined;
    const saved = outcome === OUTCOME.saved;
    if (context === undefined && (saved || others++ >= MAX_RECORD_SPANS)) return [];
    return [
      {
        recordId,
        ...(context !== undefined && { context }),
        acceptedAtMs: accepted[place],
        decidedAtMs: atMs,
        saved,
        attempts,
        undoFailed: rollbackError !== undefined,
      },
    ];
  });
}

/** Per record; those of a run were accepted together. */
function acceptedAtMs({ packed, waitedMs, ref }: SettledBatch['batch']): (number | undefined)[] {
  return packed.flatMap(([, , values], run) => {
    const waited = waitedMs[run];
    return values.map(() => (waited === undefined ? undefined : ref.openedAtMs - waited));
  });
}
