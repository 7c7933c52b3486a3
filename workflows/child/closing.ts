import {
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type CloseBatchesResult,
} from '../../src/contracts/workflow/activities';
import { childProgressSignal } from '../../src/contracts/workflow/batcher';
import type { ChildMemo, ChildPolicy, ChildResult, ClosedBatches } from '../../src/contracts/workflow/child';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { MIB } from '../../src/domain/duration';
import { counted } from '../../src/domain/format';
import { jsonBytes } from '../../src/domain/json';
import { portions } from '../../src/domain/portions';
import {
  MAX_ERRORS_BYTES,
  tallyOutcomes,
  withShortErrors,
  type RecordOutcome,
} from '../../src/domain/records/outcome';
import { packOutcomes } from '../../src/domain/records/packed-batch';
import { describeBatchRejection } from './failures';
import { tryInThisTask } from './in-this-task';
import { tracedFlag, type OpenBatch, type SettledBatch } from './open-batch';
import { reportClosed } from './reports';
import { reportToTraces } from './trace-reports';

/** Bound of the input of one `closeBatches`, in bytes of JSON. Temporal limits a payload to 2 MiB. */
const MAX_PORTION_BYTES = 1 * MIB;

interface ClosedBatch {
  location: string;
  outcomes: RecordOutcome[];
}

/** Closes the batches of a child, and publishes which ones are closed: in the memo, search attributes and metrics. */
export class Closing {
  private readonly closed = new Map<number, ClosedBatch>();
  private readonly waves: NonNullable<ChildMemo['closed']> = [];
  private readonly report = createReporter(() => this.progress());
  /**
   * Number of portions with batches whose closing failed at first. While there are any, progress is reported at once.
   */
  private late = 0;

  constructor(
    private readonly batches: readonly OpenBatch[],
    private readonly policy: ChildPolicy,
  ) {}

  /**
   * Closes batches, with one activity per portion. A batch that the store permanently rejects is settled; other batches
   * don't wait for it. Resolves when all are closed.
   * @param isQuick whether the store has just been quick: then the first attempt is made within the current workflow task
   */
  async close(settled: readonly SettledBatch[], isQuick: boolean): Promise<void> {
    const bounded = settled.map(({ batch, outcomes }) => ({ batch, outcomes: this.bounded(outcomes) }));
    const all = portions(bounded, { bytes: MAX_PORTION_BYTES }, portionBytes);
    await Promise.all(all.map((portion) => this.closePortion(portion, isQuick)));
  }

  /** Settles batches: takes over published outcomes; rolls the records of other batches back for this reason. */
  async settle(batches: readonly OpenBatch[], reason: string): Promise<void> {
    await Promise.all(batches.map((batch) => this.settleOne(batch, reason)));
  }

  /** Reports the closed batches to the batcher, if there are others. Call it if those will take a while. */
  reportSoFar(): void {
    if (this.closed.size > 0 && this.closed.size < this.batches.length) void this.report();
  }

  /** The result of the child. Throws TypeError unless all batches are closed. */
  result(): ChildResult {
    const results = this.batches.map(({ place, ref }) => {
      const closed = this.closed.get(place);
      if (closed === undefined) throw new TypeError(`${ref.batchId} was not closed`);
      return closed;
    });
    return {
      locations: results.map(({ location }) => location),
      outcomes: packOutcomes(results.map(({ outcomes }) => outcomes)),
    };
  }

  private async closePortion(portion: readonly SettledBatch[], isQuick: boolean): Promise<void> {
    const settling: Promise<void>[] = [];
    let isLate = false;
    for (let open = portion; open.length > 0;) {
      const { batches: results } = await this.closeOnce(open, isQuick && !isLate);
      const noted: SettledBatch[] = [];
      const failed: SettledBatch[] = [];
      for (const [i, one] of open.entries()) {
        const result = results[i];
        if (result === undefined || 'failed' in result) failed.push(one);
        else if ('refused' in result)
          settling.push(this.settleOne(one.batch, describeBatchRejection(result.refused)));
        else {
          this.closed.set(one.batch.place, { location: result.location, outcomes: one.outcomes });
          noted.push(one);
        }
      }
      this.publish(noted);
      if (failed.length > 0 && !isLate) {
        isLate = true;
        this.late++;
      }
      if (this.late > 0) this.reportSoFar();
      open = failed;
    }
    if (isLate) this.late--;
    await Promise.all(settling);
  }

  /** Rejects only because of a bug: an activity that fails is retried until it succeeds. */
  private async closeOnce(open: readonly SettledBatch[], isQuick: boolean): Promise<CloseBatchesResult> {
    const { kinds, of } = packOutcomes(open.map(({ outcomes }) => outcomes));
    const summary = `${counted(open.length, 'batch')}, ${outcomesIn(open)}`;
    const input = {
      format: this.policy.outcomeFormat,
      openedAtMs: open[0]?.batch.ref.openedAtMs ?? 0,
      batches: open.map(({ batch }, i) => ({
        batchId: batch.ref.batchId,
        records: batch.packed,
        outcomes: of[i] ?? [],
        ...tracedFlag(batch),
      })),
      kinds,
    };
    const closed = isQuick
      ? await tryInThisTask(summary, ({ closeBatches }) => closeBatches(input))
      : undefined;
    return closed ?? (await untilItSucceeds(summary).closeBatches(input));
  }

  private async settleOne(batch: OpenBatch, reason: string): Promise<void> {
    const { ref, flushReason, records } = batch;
    const { settleBatch } = untilItSucceeds(
      `settling ${counted(records.length, 'record')} of ${ref.batchId}`,
    );
    const { location, outcomes: settledAs } = await settleBatch({
      batch: { ...ref, flushReason, records },
      format: this.policy.outcomeFormat,
      reason,
      atMs: Date.now(),
    });
    const outcomes = this.bounded(settledAs);
    this.closed.set(batch.place, { location, outcomes });
    this.publish([{ batch, outcomes }], true);
  }

  /** The outcomes with error texts shortened so that those of all records fit into the child's result. */
  private bounded(outcomes: readonly RecordOutcome[]): RecordOutcome[] {
    const records = this.batches.reduce((sum, batch) => sum + batch.records.length, 0);
    return outcomes.map((outcome) => withShortErrors(outcome, MAX_ERRORS_BYTES / records));
  }

  /**
   * Publishes the totals in search attributes and current details, and the closed batches in the memo. A child with one
   * batch needs no memo: its batch is closed when the child is. Upserts in the last workflow task cost no extra write.
   */
  private publish(closed: readonly SettledBatch[], settled = false): void {
    if (closed.length === 0) return;
    reportClosed(closed, this.policy);
    reportToTraces(
      closed.map((one) => ({ ...one, location: this.closed.get(one.batch.place)?.location ?? '', settled })),
    );
    const known = [...this.closed.values()].flatMap(({ outcomes }) => outcomes);
    const { saved, rolledBack, retries } = tallyOutcomes(known);
    const undoFailed = known.filter(({ rollbackError }) => rollbackError !== undefined).length;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.saved, value: saved },
      { key: SEARCH_ATTRIBUTES.rolledBack, value: rolledBack },
      { key: SEARCH_ATTRIBUTES.retries, value: retries },
      ...(undoFailed > 0 ? [{ key: SEARCH_ATTRIBUTES.undoFailed, value: true }] : []),
    ]);
    const failures = undoFailed === 0 ? '' : `, ${counted(undoFailed, 'rollback')} failed`;
    const files =
      this.batches.length === 1
        ? ''
        : `; ${this.closed.size} of ${counted(this.batches.length, 'batch')} closed`;
    setCurrentDetails(`${saved} saved, ${rolledBack} rolled back${failures}${files}`);
    if (this.batches.length === 1) return;
    this.waves.push({
      atMs: Date.now(),
      batches: closed.map(({ batch, outcomes }) => {
        const own = tallyOutcomes(outcomes);
        return [batch.place, own.saved, own.rolledBack, own.retries];
      }),
    });
    const memo: Pick<ChildMemo, 'closed'> = { closed: [...this.waves] };
    upsertMemo({ ...memo });
  }

  private progress(): ClosedBatches {
    const closed = [...this.closed.values()];
    return { batches: closed.length, ...tallyOutcomes(closed.flatMap(({ outcomes }) => outcomes)) };
  }
}

/** The outcomes in some batches, for the summary of what closes them: rollbacks are seen without opening anything. */
function outcomesIn(settled: readonly SettledBatch[]): string {
  const { saved, rolledBack } = tallyOutcomes(settled.flatMap(({ outcomes }) => outcomes));
  return `${saved} saved, ${rolledBack} rolled back`;
}

/** Activities that are retried after 1 s, 2 s, …, 30 s, without a limit. */
function untilItSucceeds(summary: string) {
  return proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary,
  });
}

/** Upper bound of a batch's size in `closeBatches`: equal outcomes are written only once. */
function portionBytes({ batch, outcomes }: SettledBatch): number {
  let bytes = jsonBytes(batch.packed);
  for (const { error, rollbackError } of outcomes) {
    if (error !== undefined) bytes += jsonBytes(error);
    if (rollbackError !== undefined) bytes += jsonBytes(rollbackError);
  }
  return bytes;
}

/**
 * Returns a function that reports progress to the batcher, one message at a time. A report may get lost, because the
 * child's result has everything. A child that settles has no parent, because an activity started it; it reports nothing.
 */
function createReporter(progress: () => ClosedBatches): () => Promise<void> {
  const { parent, workflowId } = workflowInfo();
  let reporting = false;
  let more = false;
  return async () => {
    more = true;
    if (reporting || parent === undefined) return;
    reporting = true;
    while (more) {
      more = false;
      try {
        await getExternalWorkflowHandle(parent.workflowId).signal(
          childProgressSignal,
          workflowId,
          progress(),
        );
      } catch (error) {
        log.warn('could not report progress to the batcher', { error });
      }
    }
    reporting = false;
  };
}
