import { CancellationScope, condition, proxyActivities, proxySinks, sleep } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../src/contracts/workflow/activities';
import { hiddenSaveId, type ChildPolicy } from '../../src/contracts/workflow/child';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import { OUTCOME, type RecordOutcome } from '../../src/domain/records/outcome';
import type { KeptRecord } from '../../src/domain/records/record';
import type { Closing } from './closing';
import { countedAttempts, describeSaveFailure } from './failures';
import { tracedFlag, type OpenBatch } from './open-batch';
import { undo } from './rolling-back';

const { workflowTask } = proxySinks<WorkerSinks>();

/** If saving takes longer, the server is busy or the store slow, and workflow tasks are worth holding. */
const QUICK_MS = 100;

/** How long a task is held, as a share of the time that saving has taken beyond {@link QUICK_MS}. */
const HOLD_SHARE = 1 / 4;

/** If a worker is killed, the task that it holds is lost until its timeout of 10 s; so tasks are held only briefly. */
const MAX_HOLD_MS = 250;

/** What saving has measured. */
export interface SaveTimes {
  /** Duration of the fastest save, in milliseconds; undefined if unknown. */
  fastestMs: number | undefined;
}

/**
 * Saves each record with its own activity, which Temporal retries, and closes each batch when its records have
 * outcomes.
 */
export async function saveRecordByRecord(
  batches: readonly OpenBatch[],
  policy: ChildPolicy,
  closing: Closing,
): Promise<SaveTimes> {
  const times: number[] = [];
  let open = batches.reduce((sum, { records }) => sum + records.length, 0);
  void CancellationScope.nonCancellable(() => shareTasks(() => open));
  const saving = batches.map(async (batch) => {
    const outcomes = await Promise.all(
      batch.records.map((record, i) => saveRecord(record, i, batch, policy, times).finally(() => open--)),
    );
    const isQuick = times.length > 0 && Math.max(...times) <= QUICK_MS;
    await CancellationScope.nonCancellable(async () =>
      closing.close(await undo([{ batch, outcomes }], policy, isQuick), isQuick),
    );
  });
  await Promise.all(saving);
  return { fastestMs: times.length === 0 ? undefined : Math.min(...times) };
}

/**
 * Lets saves that end close together share a workflow task. A task that doesn't bring the last save's result has nothing
 * to decide, so its response is delayed, and the server collects further results for the next task.
 */
async function shareTasks(open: () => number): Promise<void> {
  const startedAtMs = Date.now();
  for (let left = open(); left > 0;) {
    const before = left;
    await condition(() => open() < before);
    left = open();
    const beyondMs = Date.now() - startedAtMs - QUICK_MS;
    if (left > 0 && beyondMs > 0) workflowTask.hold(Math.min(MAX_HOLD_MS, beyondMs * HOLD_SHARE));
  }
}

async function saveRecord(
  record: KeptRecord,
  index: number,
  batch: OpenBatch,
  { maxAttempts, retryIntervalMs, idsHidden }: ChildPolicy,
  times: number[],
): Promise<RecordOutcome> {
  const { recordId } = record;
  // Attempts of earlier activities, which ended because the store was unavailable.
  let before = 0;
  for (;;) {
    const attempts = maxAttempts - before;
    const { save } = proxyActivities<Activities>({
      startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
      heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
      retry: { maximumAttempts: attempts, initialInterval: retryIntervalMs, backoffCoefficient: 1 },
      // Identifies the record among pending activities, for readers and in the Web UI.
      activityId: idsHidden ? hiddenSaveId(batch.place, index + 1) : recordId,
      summary: recordId,
    });
    try {
      const { attempt, tookMs } = await save({ record, batch: batch.ref, ...tracedFlag(batch) });
      times.push(tookMs);
      return { recordId, outcome: OUTCOME.saved, attempts: before + attempt, atMs: Date.now() };
    } catch (failure) {
      const counted = countedAttempts(failure, attempts);
      if (counted !== undefined) {
        before += counted;
        // After a cancellation, the next call fails.
        if (counted > 0) await sleep(retryIntervalMs).catch(() => undefined);
        continue;
      }
      const { attempts: made, message: error } = describeSaveFailure(failure, attempts, before);
      return { recordId, outcome: OUTCOME.rolledBack, attempts: made, error, atMs: Date.now() };
    }
  }
}
