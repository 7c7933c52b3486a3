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
import { jsonBytes } from '../../src/domain/json';
import {
  MAX_ERRORS_BYTES,
  tallyOutcomes,
  withShortErrors,
  type RecordOutcome,
} from '../../src/domain/records/outcome';
import { packOutcomes } from '../../src/domain/records/packed-batch';
import type { OpenBatch } from './child';
import { describeBatchRefusal } from './failures';
import { reportClosed } from './reports';
import type { SettledBatch } from './rolling-back';

/** What goes into one `closeBatches`, in bytes of JSON: a payload may take 2 MiB. */
const MAX_PORTION_BYTES = 1 * MIB;

interface ClosedBatch {
  location: string;
  outcomes: RecordOutcome[];
}

/** Gives the batches of a child their files, and makes known which have theirs. */
export class Closing {
  private readonly closed = new Map<number, ClosedBatch>();
  private readonly waves: NonNullable<ChildMemo['closed']> = [];
  private readonly report = createReporter(() => this.progress());
  /** Portions with batches that could not be closed at first: what closes beside them is reported at once. */
  private late = 0;

  constructor(
    private readonly batches: readonly OpenBatch[],
    private readonly policy: ChildPolicy,
  ) {}

  /** Closes batches by one activity. One that is refused for good is settled; the others don't wait for it. */
  async close(settled: readonly SettledBatch[]): Promise<void> {
    const bounded = settled.map(({ batch, outcomes }) => ({ batch, outcomes: this.bounded(outcomes) }));
    await Promise.all(portionsOf(bounded).map((portion) => this.closePortion(portion)));
  }

  /** The outcomes that are published already, or else everything rolled back for this reason. */
  async settle(batches: readonly OpenBatch[], reason: string): Promise<void> {
    await Promise.all(batches.map((batch) => this.settleOne(batch, reason)));
  }

  /** Reports the batches that are closed to the batcher, as the rest will take a while. */
  reportSoFar(): void {
    if (this.closed.size > 0 && this.closed.size < this.batches.length) void this.report();
  }

  /** Of a child whose batches are all closed. */
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

  private async closePortion(portion: readonly SettledBatch[]): Promise<void> {
    const settling: Promise<void>[] = [];
    let isLate = false;
    for (let open = portion; open.length > 0;) {
      const { batches: results } = await this.closeOnce(open);
      const noted: SettledBatch[] = [];
      const failed: SettledBatch[] = [];
      for (const [i, one] of open.entries()) {
        const result = results[i];
        if (result === undefined || 'failed' in result) failed.push(one);
        else if ('refused' in result)
          settling.push(this.settleOne(one.batch, describeBatchRefusal(result.refused)));
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

  /** Fails only with a bug: what fails as a whole is repeated until it succeeds. */
  private closeOnce(open: readonly SettledBatch[]): Promise<CloseBatchesResult> {
    const { kinds, of } = packOutcomes(open.map(({ outcomes }) => outcomes));
    const { closeBatches } = untilItSucceeds(`${open.length} batches`);
    return closeBatches({
      format: this.policy.outcomeFormat,
      openedAtMs: open[0]?.batch.ref.openedAtMs ?? 0,
      batches: open.map(({ batch }, i) => ({
        batchId: batch.ref.batchId,
        records: batch.packed,
        outcomes: of[i] ?? [],
      })),
      kinds,
    });
  }

  private async settleOne(batch: OpenBatch, reason: string): Promise<void> {
    const { ref, flushReason, records } = batch;
    const { settleBatch } = untilItSucceeds(`${records.length} records to settle: ${ref.batchId}`);
    const { location, outcomes: settledAs } = await settleBatch({
      batch: { ...ref, flushReason, records },
      format: this.policy.outcomeFormat,
      reason,
      atMs: Date.now(),
    });
    const outcomes = this.bounded(settledAs);
    this.closed.set(batch.place, { location, outcomes });
    this.publish([{ batch, outcomes }]);
  }

  /** As the result of the child has room for them. */
  private bounded(outcomes: readonly RecordOutcome[]): RecordOutcome[] {
    const records = this.batches.reduce((sum, batch) => sum + batch.records.length, 0);
    return outcomes.map((outcome) => withShortErrors(outcome, MAX_ERRORS_BYTES / records));
  }

  /**
   * Makes known which batches are closed, and in the Web UI how their records ended. A single batch is closed when its
   * child is: what is made known with the end of a workflow costs the server no write of its own.
   */
  private publish(closed: readonly SettledBatch[]): void {
    if (closed.length === 0) return;
    reportClosed(closed, this.policy);
    const known = [...this.closed.values()].flatMap(({ outcomes }) => outcomes);
    const { saved, rolledBack, retries } = tallyOutcomes(known);
    const undoFailed = known.filter(({ rollbackError }) => rollbackError !== undefined).length;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.saved, value: saved },
      { key: SEARCH_ATTRIBUTES.rolledBack, value: rolledBack },
      { key: SEARCH_ATTRIBUTES.retries, value: retries },
      ...(undoFailed > 0 ? [{ key: SEARCH_ATTRIBUTES.undoFailed, value: true }] : []),
    ]);
    setCurrentDetails(
      `${saved} saved, ${rolledBack} rolled back${undoFailed > 0 ? `, ${undoFailed} undo failed` : ''}`,
    );
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

/** A store that is away is asked again after 1 s, 2 s, …, 30 s, for as long as it takes. */
function untilItSucceeds(summary: string) {
  return proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary,
  });
}

function portionsOf(settled: readonly SettledBatch[]): SettledBatch[][] {
  const portions: SettledBatch[][] = [];
  let bytes = Infinity;
  for (const one of settled) {
    const own = jsonBytes(one.batch.packed) + errorBytesOf(one);
    bytes += own;
    if (bytes > MAX_PORTION_BYTES) {
      portions.push([]);
      bytes = own;
    }
    portions.at(-1)?.push(one);
  }
  return portions;
}

/** At most what the outcomes take: equal ones are written once. */
function errorBytesOf({ outcomes }: SettledBatch): number {
  let bytes = 0;
  for (const { error, rollbackError } of outcomes) {
    if (error !== undefined) bytes += jsonBytes(error);
    if (rollbackError !== undefined) bytes += jsonBytes(rollbackError);
  }
  return bytes;
}

/**
 * Reports to the batcher, one message at a time. It need not arrive: the end of the child reports everything. A child
 * that settles has no parent, as an activity has started it.
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
        log.warn('progress could not be reported to the batcher', { error });
      }
    }
    reporting = false;
  };
}
