/*
 * Saving by local activities: no round trip to the server for each, and nothing in history before it is through.
 *
 *   attempt ──► saved ─────────────────────────────► saved
 *      ▲   └──► refused, or the last attempt ──────► rollback, as ever ──► rolled_back
 *      └─ RETRY_INTERVAL_MS, or what the store asks for ◄── any other failure
 *
 * The loop over the attempts is here and not in a retry policy, so that each attempt, and the timer behind it, is in
 * history when the next one begins: a worker that takes over neither repeats nor forgets one. The attempt that was under
 * way when a worker died is made again and doesn't count, as nobody knows of it.
 * `rollback` is an activity of the server's, scheduled together with the failure that asks for it: a worker that lost its
 * workflow task without knowing must not undo what another one has saved since.
 */
import { CancellationScope, isCancellation, proxyLocalActivities, sleep } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type FailedSave,
  type SaveFailure,
} from '../src/contracts/activities';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { CANCELLED_SAVE, describeAttempt, describeRefusal } from './save-failure';
import type { Saving } from './saving';
import { undo } from './undo';

/** `SAVE_ACTIVITY=local`: each record by a local activity, at its own pace. */
export async function saveEachLocally(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  const settled = await Promise.all(
    records.map((record) => settleTogether([record], batch, saving, saveOne)),
  );
  return settled.flat();
}

/** `SAVE_ACTIVITY=batch`: all of a batch by one local activity, then those that failed by another. */
export async function saveTogetherLocally(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  return settleTogether(records, batch, saving, saveAll);
}

/** Makes one attempt; tells of each record that failed. */
type Attempt = (records: readonly KeptRecord[], batch: BatchRef) => Promise<readonly FailedSave[]>;

async function settleTogether(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
  attemptAll: Attempt,
): Promise<SettledRecord[]> {
  const settled = new Map<string, Promise<SettledRecord>>();
  const rollBack = (record: KeptRecord, attempts: number, error: string): void => {
    const rolledBack = { ...record, outcome: OUTCOME.rolledBack, attempts, error };
    const undoing = CancellationScope.nonCancellable(() => undo(rolledBack, batch));
    settled.set(record.recordId, undoing);
  };

  let waiting = records;
  try {
    for (let attempt = 1; waiting.length > 0; attempt++) {
      const failures = new Map((await attemptAll(waiting, batch)).map((failed) => [failed.place, failed]));
      const again: KeptRecord[] = [];
      let pauseMs = 0;
      for (const [place, record] of waiting.entries()) {
        const failure = failures.get(place);
        const final = failure && finalError(failure, attempt, saving);
        if (failure === undefined) {
          const saved = { ...record, outcome: OUTCOME.saved, attempts: attempt, atMs: Date.now() };
          settled.set(record.recordId, Promise.resolve(saved));
        } else if (final !== undefined) {
          rollBack(record, attempt, final);
        } else {
          again.push(record);
          // None before the store wants it; those that might come sooner wait along.
          pauseMs = Math.max(pauseMs, failure.retryAfterMs ?? saving.retryIntervalMs);
        }
      }
      waiting = again;
      if (waiting.length > 0) await sleep(pauseMs);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    for (const record of waiting) rollBack(record, CANCELLED_SAVE.attempts, CANCELLED_SAVE.message);
  }
  return Promise.all(
    records.map(({ recordId }) => {
      const outcome = settled.get(recordId);
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

const LOCALLY = {
  startToCloseTimeout: ACTIVITY_TIMEOUTS.saveMs,
  retry: { maximumAttempts: 1 },
} as const;

const saveOne: Attempt = async ([record], batch) => {
  if (record === undefined) return [];
  const { save } = proxyLocalActivities<Activities>({ ...LOCALLY, summary: record.recordId });
  return failedTogether([record], () => save({ record, batch }));
};

const { saveBatch } = proxyLocalActivities<Activities>(LOCALLY);

const saveAll: Attempt = async (records, batch) => {
  let failed: FailedSave[] = [];
  const whole = await failedTogether(records, async () => {
    ({ failed } = await saveBatch({ records: [...records], batch }));
  });
  return whole.length > 0 ? whole : failed;
};

/** What a call fails with goes for each of the records; a cancellation by hand is no failure of theirs. */
async function failedTogether(
  records: readonly KeptRecord[],
  call: () => Promise<unknown>,
): Promise<FailedSave[]> {
  try {
    await call();
    return [];
  } catch (error) {
    // A local activity is cancelled by a worker that stops, too.
    if (CancellationScope.current().consideredCancelled) throw error;
    const failure = describeAttempt(error);
    return records.map((_, place) => ({ place, ...failure }));
  }
}
