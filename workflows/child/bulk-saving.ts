/*
 * Saving in bulk: one activity per attempt for all records of the child.
 *
 *   attempt ──► batches with all outcomes ──► rolled back and closed together, as one wave
 *    ▲   └────► failed records ──┐
 *    └─ after RETRY_INTERVAL_MS, or as long as the store asks for ◄──┘
 *
 * The loop over the attempts is here rather than in a retry policy, because each attempt has different records. The result
 * of an attempt is in history before anything is done with it. The activity fails only if its worker dies; Temporal then
 * repeats the same attempt, which counts once, because the result of the first one is unknown.
 */
import {
  CancellationScope,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type SaveBatchesResult,
} from '../../src/contracts/workflow/activities';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import { SECOND } from '../../src/domain/duration';
import { counted } from '../../src/domain/format';
import { OUTCOME, type RecordOutcome } from '../../src/domain/records/outcome';
import { packKept } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import type { Closing } from './closing';
import { CANCELLED_SAVE, describeRejection } from './failures';
import { tracedFlag, type OpenBatch } from './open-batch';
import type { SaveTimes } from './record-saving';
import { undo } from './rolling-back';

/** Before a longer pause, the closed batches are reported to the batcher, so that it can start others. */
const LONG_PAUSE_MS = 2 * SECOND;

/** A batch with records that have no outcome yet. */
interface Unsettled {
  batch: OpenBatch;
  /** In batch order; undefined for records to save in the next attempt. */
  outcomes: (RecordOutcome | undefined)[];
}

/** Saves all records together, and closes each batch when its last record has an outcome. */
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
    const settled = unsettled.filter(isSettled);
    unsettled = unsettled.filter((one) => !isSettled(one));
    const wave = CancellationScope.nonCancellable(() => finish(settled, policy, closing));
    waves.push(wave);
    if (unsettled.length === 0) break;
    setCurrentDetails(describeAttempt(unsettled, attempt, policy, Date.now() + pauseMs));
    if (pauseMs > LONG_PAUSE_MS) void wave.then(() => closing.reportSoFar());
    if (!(await pause(pauseMs))) cancelSaving(unsettled);
  }
  await Promise.all(waves);
  return { fastestMs: times.length === 0 ? undefined : Math.min(...times) };
}

/** What waits for the next attempt, for the Web UI. The errors themselves are in the attempt's result. */
function describeAttempt(
  unsettled: readonly Unsettled[],
  attempt: number,
  { maxAttempts }: ChildPolicy,
  nextAtMs: number,
): string {
  const failed = unsettled.flatMap(({ outcomes }) => outcomes).filter((outcome) => outcome === undefined);
  return (
    `attempt ${attempt} of ${maxAttempts} has failed for ${counted(failed.length, 'record')} of ` +
    `${counted(unsettled.length, 'batch')}; the next one is at ${new Date(nextAtMs).toISOString()}`
  );
}

/** @returns how long to wait before the next attempt, in milliseconds */
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
    cancelSaving(unsettled);
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
        const error = refused ? describeRejection(message, attempt, maxAttempts) : message;
        outcomes[place] = { recordId, outcome: OUTCOME.rolledBack, attempts: attempt, error, atMs };
      }
      // No record is retried earlier than the store asks for; the others wait as well.
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
    summary: `attempt ${attempt}: ${counted(count, 'record')} of ${counted(tried.length, 'batch')}`,
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
      ...tracedFlag(batch),
    })),
  });
}

/** @returns false if the child was cancelled meanwhile */
async function pause(ms: number): Promise<boolean> {
  try {
    await sleep(ms);
    return true;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return false;
  }
}

/** After a cancellation: the records without an outcome are rolled back. */
function cancelSaving(unsettled: readonly Unsettled[]): void {
  const { attempts, message: error } = CANCELLED_SAVE;
  for (const { batch, outcomes } of unsettled) {
    for (const [place, { recordId }] of batch.records.entries())
      outcomes[place] ??= { recordId, outcome: OUTCOME.rolledBack, attempts, error, atMs: Date.now() };
  }
}

function isSettled({ outcomes }: Unsettled): boolean {
  return outcomes.every((outcome) => outcome !== undefined);
}

/** Rolls back records and closes the batches, with one activity each for all batches. */
async function finish(wave: readonly Unsettled[], policy: ChildPolicy, closing: Closing): Promise<void> {
  if (wave.length === 0) return;
  const settled = wave.map(({ batch, outcomes }) => ({
    batch,
    outcomes: outcomes.filter((outcome) => outcome !== undefined),
  }));
  await closing.close(await undo(settled, policy, false), false);
}
