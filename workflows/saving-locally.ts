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
 *
 * Most of what this costs is promises, of which each takes the SDK as long as some lines of ours: so the records of a
 * batch go on by one loop, also where each has a call of its own, and what is known at once is no promise.
 */
import { CancellationScope, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type SaveFailure,
  type SaveRecordsResult,
} from '../src/contracts/activities';
import { SAVE_ACTIVITY } from '../src/contracts/settings';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { CANCELLED_SAVE, describeAttempt, describeRefusal } from './save-failure';
import { saveByActivity, type Saving } from './saving-by-activity';
import { undo } from './undo';

/**
 * By local activities: one for the records of an attempt together (`SAVE_ACTIVITY=batch`), or one for each. Those that
 * are slow leave on their own.
 */
export async function saveLocally(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  const local = new LocalSaving(records, batch, saving);
  await local.attempt([...records.keys()], 1);
  return local.outcomes();
}

/** What became of one record in an attempt. */
type Told = 'saved' | 'slow' | 'cancelled' | SaveFailure;
type ToldOf = readonly [place: number, told: Told];

/** Records are known by their places in the batch. */
class LocalSaving {
  private readonly settling: (SettledRecord | Promise<SettledRecord>)[] = [];

  constructor(
    private readonly records: readonly KeptRecord[],
    private readonly batch: BatchRef,
    private readonly saving: Saving,
  ) {}

  /** Those of all records, when there is one for each. */
  async outcomes(): Promise<SettledRecord[]> {
    const { settling } = this;
    const lacking = this.records.find((_, place) => settling[place] === undefined);
    if (lacking !== undefined) throw new TypeError(`${lacking.recordId} has no outcome`);
    return settling.every(isKnown) ? settling : Promise.all(settling.map(async (outcome) => outcome));
  }

  /** Attempts some, and then those again that failed, until each is settled or on its way to that. */
  async attempt(places: readonly number[], attempt: number): Promise<void> {
    const told = await this.saving.localAttempts.make(() => this.call(places));
    const again = this.act(told, attempt);
    if (again.size === 0) return;
    await Promise.all([...again].map(([pause, some]) => this.attemptAfter(pause, some, attempt + 1)));
  }

  private async attemptAfter(
    pause: Promise<void>,
    places: readonly number[],
    attempt: number,
  ): Promise<void> {
    try {
      await pause;
    } catch (error) {
      if (!isCancellation(error)) throw error;
      for (const place of places) this.rollBackCancelled(place);
      return;
    }
    await this.attempt(places, attempt);
  }

  /** Does what follows from an attempt; gives what is to be tried again, by the pause that it waits for. */
  private act(told: readonly ToldOf[], attempt: number): ReadonlyMap<Promise<void>, number[]> {
    const { localAttempts, retryIntervalMs } = this.saving;
    const again = new Map<Promise<void>, number[]>();
    const waitFor = (pause: Promise<void>, place: number): void => {
      const others = again.get(pause);
      if (others === undefined) again.set(pause, [place]);
      else others.push(place);
    };
    const waitingTogether: number[] = [];
    let longestMs = 0;
    for (const [place, one] of told) {
      const failure = this.settle(place, one, attempt);
      if (failure === undefined) continue;
      const pauseMs = failure.retryAfterMs ?? retryIntervalMs;
      if (!this.together) {
        waitFor(localAttempts.pause(pauseMs), place);
        continue;
      }
      // None before the store wants it; those that might come sooner wait along.
      waitingTogether.push(place);
      longestMs = Math.max(longestMs, pauseMs);
    }
    if (waitingTogether.length > 0) again.set(localAttempts.pause(longestMs), waitingTogether);
    return again;
  }

  /** @returns the failure after which the record is to be tried again, if it is */
  private settle(place: number, told: Told, attempt: number): SaveFailure | undefined {
    const { batch, saving } = this;
    const record = this.recordAt(place);
    if (told === 'saved') {
      const { recordId, value } = record;
      this.settling[place] = {
        recordId,
        value,
        outcome: OUTCOME.saved,
        attempts: attempt,
        atMs: Date.now(),
      };
    } else if (told === 'slow') {
      this.settling[place] = saveByActivity(record, batch, saving, attempt);
    } else if (told === 'cancelled') {
      this.rollBackCancelled(place);
    } else {
      const final = finalError(told, attempt, saving);
      if (final === undefined) return told;
      this.rollBack(place, attempt, final);
    }
    return undefined;
  }

  private rollBack(place: number, attempts: number, error: string): void {
    const { recordId, value } = this.recordAt(place);
    const rolledBack = { recordId, value, outcome: OUTCOME.rolledBack, attempts, error };
    this.settling[place] = CancellationScope.nonCancellable(() => undo(rolledBack, this.batch));
  }

  private rollBackCancelled(place: number): void {
    this.rollBack(place, CANCELLED_SAVE.attempts, CANCELLED_SAVE.message);
  }

  /** Makes an attempt, and tells of each record in the given order. */
  private async call(places: readonly number[]): Promise<ToldOf[]> {
    if (this.together) return this.callFor(places);
    return (await Promise.all(places.map((place) => this.callFor([place])))).flat();
  }

  private callFor(places: readonly number[]): Promise<ToldOf[]> {
    const records = places.map((place) => this.recordAt(place));
    const [only] = records;
    const { saveRecords } = proxyLocalActivities<Activities>({
      startToCloseTimeout: ACTIVITY_TIMEOUTS.localMs,
      retry: { maximumAttempts: 1 },
      summary: only !== undefined && records.length === 1 ? only.recordId : this.batch.batchId,
    });
    return saveRecords({ records, batch: this.batch }).then(
      (result) => toldOf(places, result),
      (error: unknown) => {
        // A local activity is cancelled by a worker that stops, too.
        const told = CancellationScope.current().consideredCancelled ? 'cancelled' : describeAttempt(error);
        return places.map((place) => [place, told]);
      },
    );
  }

  private get together(): boolean {
    return this.saving.saveActivity === SAVE_ACTIVITY.batch;
  }

  private recordAt(place: number): KeptRecord {
    const record = this.records[place];
    if (record === undefined) throw new TypeError(`there is no record ${place}`);
    return record;
  }
}

function toldOf(places: readonly number[], { failed, slow = [] }: SaveRecordsResult): ToldOf[] {
  const others = new Map<number, Told>(failed.map(({ place, ...failure }) => [place, failure]));
  for (const place of slow) others.set(place, 'slow');
  return places.map((place, i) => [place, others.get(i) ?? 'saved']);
}

function isKnown(outcome: SettledRecord | Promise<SettledRecord>): outcome is SettledRecord {
  return !(outcome instanceof Promise);
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
