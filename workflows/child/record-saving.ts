import { CancellationScope, condition, proxyActivities, proxySinks, sleep } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../src/contracts/workflow/activities';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import type { BatchRef } from '../../src/domain/records/batch';
import { OUTCOME, type RecordOutcome } from '../../src/domain/records/outcome';
import type { KeptRecord } from '../../src/domain/records/record';
import type { OpenBatch } from './child';
import type { Closing } from './closing';
import { attemptsBesideHolds, describeSaveFailure } from './failures';
import { undo } from './rolling-back';

const { workflowTask } = proxySinks<WorkerSinks>();

/** Saves that take longer find a busy server or a slow store: there the end of one may wait for those of others. */
const QUICK_MS = 100;

/** The part of what saving has taken beyond that for which it may wait. */
const HOLD_SHARE = 1 / 4;

/** A worker that is killed leaves the task that it holds behind, for the 10 s of a task: so none is held for long. */
const MAX_HOLD_MS = 250;

/** What saving found out about the store. */
export interface SaveTimes {
  /** How long the fastest save took, in milliseconds; undefined where none is known. */
  fastestMs: number | undefined;
}

/** Saves each record by an activity of its own, which Temporal tries again, and closes each batch when it is through. */
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
      batch.records.map((record) => saveRecord(record, batch.ref, policy, times).finally(() => open--)),
    );
    await CancellationScope.nonCancellable(async () =>
      closing.close(await undo([{ batch, outcomes }], policy)),
    );
  });
  await Promise.all(saving);
  return { fastestMs: times.length === 0 ? undefined : Math.min(...times) };
}

/**
 * Has saves that end close on one another share workflow tasks: a task that brings the end of some and not of the last
 * has nothing to decide, so it is answered a little later, and the server keeps what ends meanwhile for the next one.
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
  batch: BatchRef,
  { maxAttempts, retryIntervalMs }: ChildPolicy,
  times: number[],
): Promise<RecordOutcome> {
  const { recordId } = record;
  // Attempts that were made by activities of before, which ended because the store was away.
  let before = 0;
  for (;;) {
    const attempts = maxAttempts - before;
    const { save } = proxyActivities<Activities>({
      startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
      heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
      retry: { maximumAttempts: attempts, initialInterval: retryIntervalMs, backoffCoefficient: 1 },
      // By which readers of pending activities, and people in the Web UI, tell the records of a batch.
      activityId: recordId,
      summary: recordId,
    });
    try {
      const { attempt, tookMs } = await save({ record, batch });
      times.push(tookMs);
      return { recordId, outcome: OUTCOME.saved, attempts: before + attempt, atMs: Date.now() };
    } catch (failure) {
      const counted = attemptsBesideHolds(failure, attempts);
      if (counted !== undefined) {
        before += counted;
        // A cancellation meets the next call.
        if (counted > 0) await sleep(retryIntervalMs).catch(() => undefined);
        continue;
      }
      const { attempts: made, message: error } = describeSaveFailure(failure, attempts, before);
      return { recordId, outcome: OUTCOME.rolledBack, attempts: made, error, atMs: Date.now() };
    }
  }
}
