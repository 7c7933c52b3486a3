/*
 * batchWorkflow: one batch, from its records to its file.
 *
 *   saving ──► per record, side by side: save (Temporal's own retries) ──► saved
 *                                         └─ exhausted or refused ──► rollback (until it succeeds) ──► rolled_back
 *   closing ─► closeBatch (until it succeeds): one file from all outcomes ──► done
 *
 * Saving waits for the slowest record, closing for a store that answers. Nothing here gives up on a batch: what can't
 * be saved is rolled back, and a store that is away is waited for, so that every record gets its one outcome line (G4).
 * A cancellation by hand stops the saving of what isn't saved yet; rollback and closing are still done.
 */
import { CancellationScope, proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../src/contracts/activities';
import type { BatchInput, BatchResult } from '../src/contracts/batch';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, tallyOutcomes, type RecordOutcome, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { describeSaveFailure } from './save-failure';

/** A store that is away is asked again after 1 s, 2 s, …, 30 s, for as long as it takes. */
const UNTIL_IT_SUCCEEDS = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;

const { rollback } = proxyActivities<Activities>({
  startToCloseTimeout: ACTIVITY_TIMEOUTS.closeMs,
  heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
  retry: UNTIL_IT_SUCCEEDS,
});

export async function batchWorkflow(input: BatchInput): Promise<BatchResult> {
  const { batchId, openedAtMs, records } = input.batch;
  const batch: BatchRef = { batchId, openedAtMs };
  const settled = await Promise.all(records.map((record) => settle(record, batch, input)));
  return CancellationScope.nonCancellable(() => close(batch, settled, input));
}

/** Brings one record to its outcome. Never throws for a record that can't be saved (G9). */
async function settle(record: KeptRecord, batch: BatchRef, input: BatchInput): Promise<SettledRecord> {
  const { save } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.saveMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts: input.maxAttempts,
      initialInterval: input.retryIntervalMs,
      backoffCoefficient: 1,
    },
    // By which readers of pending activities, and people in the Web UI, tell the records of a batch.
    activityId: record.recordId,
    summary: record.recordId,
  });
  try {
    const { attempt } = await save({ record, batch });
    return { ...record, outcome: OUTCOME.saved, attempts: attempt, atMs: Date.now() };
  } catch (error) {
    const { attempts, message } = describeSaveFailure(error, input.maxAttempts);
    await CancellationScope.nonCancellable(() => rollback({ record, batch }));
    return { ...record, outcome: OUTCOME.rolledBack, attempts, error: message, atMs: Date.now() };
  }
}

async function close(batch: BatchRef, records: SettledRecord[], input: BatchInput): Promise<BatchResult> {
  const { closeBatch } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.closeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: UNTIL_IT_SUCCEEDS,
    summary: `${records.length} outcomes`,
  });
  const { saved, rolledBack, retries } = tallyOutcomes(records);
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.saved, value: saved },
    { key: SEARCH_ATTRIBUTES.rolledBack, value: rolledBack },
    { key: SEARCH_ATTRIBUTES.retries, value: retries },
  ]);
  const { location } = await closeBatch({ batch, records, format: input.outcomeFormat });
  return { location, outcomes: records.map(withoutValue) };
}

function withoutValue({ recordId, outcome, attempts, error, atMs }: SettledRecord): RecordOutcome {
  return { recordId, outcome, attempts, ...(error !== undefined && { error }), atMs };
}
