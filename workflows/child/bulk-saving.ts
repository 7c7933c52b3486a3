/*
 * Saving in bulk: all records of the child in one activity per attempt.
 *
 *   attempt ──► batches that are through ──► rolled back, closed, in a wave of their own
 *    ▲   └────► what failed ──┐
 *    └─ RETRY_INTERVAL_MS, or what the store asks for ◄──┘
 *
 * The loop over the attempts is here and not in a retry policy, as each attempt is for other records. What became of an
 * attempt is in history before anything follows from it. The activity fails only with its worker: Temporal then makes the
 * same attempt again, which doesn't count as another, as nobody knows of the first.
 */
import { CancellationScope, isCancellation, proxyActivities, sleep } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type SaveBatchesResult,
} from '../../src/contracts/workflow/activities';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import { SECOND } from '../../src/domain/duration';
import { OUTCOME, type RecordOutcome } from '../../src/domain/records/outcome';
import { packKept } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import type { OpenBatch } from './child';
import type { Closing } from './closing';
import { CANCELLED_SAVE, describeRefusal } from './failures';
import type { SaveTimes } from './record-saving';
import { undo } from './rolling-back';

/** Before a pause that is longer, the batcher is told which batches are closed, so that it may start others instead. */
const LONG_PAUSE_MS = 2 * SECOND;

/** A batch that isn't through. */
interface Unsettled {
  batch: OpenBatch;
  /** In batch order; empty for records that are to be tried (again). */
  outcomes: (RecordOutcome | undefined)[];
}

export async function saveInBulk(
  batches: readonly OpenBatch[],
  policy: ChildPolicy,
  closing: Closing,
): Promise<SaveTimes> {
  const times: number[] = [];
  const waves: Promise<void>[] = [];
  let unsettled = batches.map((batch): Unsettled => ({
    batch,
    outcomes: batch.records.map(() => undefined),
  }));
  for (let attempt = 1; unsettled.length > 0; attempt++) {
    const pauseMs = await makeAttempt(unsettled, attempt, policy, times);
    const through = unsettled.filter(isSettled);
    unsettled = unsettled.filter((one) => !isSettled(one));
    const wave = CancellationScope.nonCancellable(() => finish(through, policy, closing));
    waves.push(wave);
    if (unsettled.length === 0) break;
    if (pauseMs > LONG_PAUSE_MS) void wave.then(() => closing.reportSoFar());
    if (!(await pause(pauseMs))) callOff(unsettled);
  }
  await Promise.all(waves);
  return { fastestMs: times.length === 0 ? undefined : Math.min(...times) };
}

/** @returns when the next attempt may be made, in milliseconds from now */
async function makeAttempt(
  unsettled: readonly Unsettled[],
  attempt: number,
  { maxAttempts, retryIntervalMs }: ChildPolicy,
  times: number[],
): Promise<number> {
  const tried = unsettled.map(({ batch, outcomes }) => ({
    batch,
    outcomes,
    places: [...outcomes.keys()].filter((place) => outcomes[place] === undefined),
  }));
  if (tried.every(({ places }) => places.length === 0)) return 0;
  let result: SaveBatchesResult;
  try {
    result = await save(tried, attempt);
  } catch (error) {
    if (!CancellationScope.current().consideredCancelled) throw error;
    callOff(unsettled);
    return 0;
  }
  if (result.fastestMs !== undefined) times.push(result.fastestMs);
  const atMs = Date.now();
  let pauseMs = 0;
  const failures = new Map(result.failed.map(([batch, record, failure]) => [`${batch}/${record}`, failure]));
  for (const [i, { batch, outcomes, places }] of tried.entries()) {
    for (const [j, place] of places.entries()) {
      const { recordId } = batch.records[place] as KeptRecord;
      const failure = result.failures[failures.get(`${i}/${j}`) ?? -1];
      if (failure === undefined) {
        outcomes[place] = { recordId, outcome: OUTCOME.saved, attempts: attempt, atMs };
        continue;
      }
      const { message, refused, retryAfterMs = retryIntervalMs } = failure;
      if (refused || attempt >= maxAttempts) {
        const error = refused ? describeRefusal(message, attempt, maxAttempts) : message;
        outcomes[place] = { recordId, outcome: OUTCOME.rolledBack, attempts: attempt, error, atMs };
      }
      // None is tried before the store wants it; those that might be sooner wait along.
      else pauseMs = Math.max(pauseMs, retryAfterMs);
    }
  }
  return pauseMs;
}

function save(
  tried: readonly { batch: OpenBatch; places: readonly number[] }[],
  attempt: number,
): Promise<SaveBatchesResult> {
  const [first] = tried;
  const count = tried.reduce((sum, { places }) => sum + places.length, 0);
  const { saveBatches } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: `attempt ${attempt}: ${count} records of ${tried.length} batches`,
  });
  return saveBatches({
    attempt,
    openedAtMs: first?.batch.ref.openedAtMs ?? 0,
    batches: tried.map(({ batch, places }) => ({
      batchId: batch.ref.batchId,
      records:
        places.length === batch.records.length
          ? batch.packed
          : packKept(places.map((place) => batch.records[place] as KeptRecord)),
    })),
  });
}

/** @returns false where the child was cancelled meanwhile */
async function pause(ms: number): Promise<boolean> {
  try {
    await sleep(ms);
    return true;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return false;
  }
}

/** What isn't saved when the child is cancelled isn't saved any more. */
function callOff(unsettled: readonly Unsettled[]): void {
  const { attempts, message: error } = CANCELLED_SAVE;
  for (const { batch, outcomes } of unsettled) {
    for (const [place, { recordId }] of batch.records.entries())
      outcomes[place] ??= { recordId, outcome: OUTCOME.rolledBack, attempts, error, atMs: Date.now() };
  }
}

function isSettled({ outcomes }: Unsettled): boolean {
  return outcomes.every((outcome) => outcome !== undefined);
}

/** Undoes what is to be rolled back, and closes the batches, each by one activity for all of them. */
async function finish(through: readonly Unsettled[], policy: ChildPolicy, closing: Closing): Promise<void> {
  if (through.length === 0) return;
  const settled = through.map(({ batch, outcomes }) => ({
    batch,
    outcomes: outcomes.filter((outcome) => outcome !== undefined),
  }));
  await closing.close(await undo(settled, policy));
}
