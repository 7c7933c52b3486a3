/*
 * Saving by local activities: no round trip to the server for each, and nothing in history before it is through.
 *
 *   attempt ──► saved ─────────────────────────────► saved
 *    ▲  │  └──► refused, or the last attempt ──────► rollback, as ever ──► rolled_back
 *    │  └─────► not through within 2 s ────────────► the same attempt by an activity of the server's, and those after it
 *    └─ RETRY_INTERVAL_MS, or what the store asks for ◄── any other failure
 *
 * The loop over the attempts is here and not in a retry policy, so that each attempt, and the timer behind it, is in
 * history when the next one begins: a worker that takes over neither repeats nor forgets one. The attempt that was under
 * way when a worker died is made again and doesn't count, as nobody knows of it.
 * `rollback` is an activity of the server's, scheduled together with the failure that asks for it: a worker that lost its
 * workflow task without knowing must not undo what another one has saved since.
 */
import { CancellationScope, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type SaveFailure,
  type SaveRecordsResult,
} from '../src/contracts/activities';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { CANCELLED_SAVE, describeAttempt, describeRefusal } from './save-failure';
import { saveByActivity, type Saving } from './saving-by-activity';
import { undo } from './undo';

/** Attempts all of the records together, then together those that failed. Those that are slow leave on their own. */
export async function saveLocally(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  const settling = new Map<string, Promise<SettledRecord>>();
  const rollBack = ({ recordId, value }: KeptRecord, attempts: number, error: string): void => {
    const rolledBack = { recordId, value, outcome: OUTCOME.rolledBack, attempts, error };
    settling.set(
      recordId,
      CancellationScope.nonCancellable(() => undo(rolledBack, batch)),
    );
  };

  let waiting = records;
  try {
    for (let attempt = 1; waiting.length > 0; attempt++) {
      const { failed, slow = [] } = await attemptAll(waiting, batch, saving);
      const failures = new Map(failed.map((failure) => [failure.place, failure]));
      const again: KeptRecord[] = [];
      let pauseMs = 0;
      for (const [place, record] of waiting.entries()) {
        const failure = failures.get(place);
        const final = failure && finalError(failure, attempt, saving);
        if (slow.includes(place)) {
          settling.set(record.recordId, saveByActivity(record, batch, saving, attempt));
        } else if (failure === undefined) {
          const saved = { ...record, outcome: OUTCOME.saved, attempts: attempt, atMs: Date.now() };
          settling.set(record.recordId, Promise.resolve(saved));
        } else if (final !== undefined) {
          rollBack(record, attempt, final);
        } else {
          again.push(record);
          // None before the store wants it; those that might come sooner wait along.
          pauseMs = Math.max(pauseMs, failure.retryAfterMs ?? saving.retryIntervalMs);
        }
      }
      waiting = again;
      if (waiting.length > 0) await saving.localAttempts.pause(pauseMs);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    for (const record of waiting) rollBack(record, CANCELLED_SAVE.attempts, CANCELLED_SAVE.message);
  }
  return Promise.all(
    records.map(({ recordId }) => {
      const outcome = settling.get(recordId);
      if (outcome === undefined) throw new TypeError(`${recordId} has no outcome`);
      return outcome;
    }),
  );
}

/** What the outcome tells when there is no further attempt; undefined when there is. */
function finalError(
  { message, refused }: SaveFailure,
  attempt: number,
  { maxAttempts }: Saving,
): string | undefined {
  if (refused) return describeRefusal(message, attempt, maxAttempts);
  return attempt === maxAttempts ? message : undefined;
}

async function attemptAll(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SaveRecordsResult> {
  const [only, ...others] = records;
  const { saveRecords } = proxyLocalActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.localMs,
    retry: { maximumAttempts: 1 },
    summary: only !== undefined && others.length === 0 ? only.recordId : batch.batchId,
  });
  try {
    return await saving.localAttempts.make(() => saveRecords({ records: [...records], batch }));
  } catch (error) {
    // A local activity is cancelled by a worker that stops, too.
    if (CancellationScope.current().consideredCancelled) throw error;
    const failure = describeAttempt(error);
    return { failed: records.map((_, place) => ({ place, ...failure })) };
  }
}
