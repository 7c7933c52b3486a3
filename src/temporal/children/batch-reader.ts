import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { ChildInput, ChildPolicy, ChildResult } from '../../contracts/workflow/child';
import type { BatchSummary } from '../../contracts/api/answers/batches';
import { childOfBatch, placeInChild, type Batch } from '../../domain/records/batch';
import type { StoredCutReason } from '../../domain/explain/cut-reason';
import { outcomeOf, type RecordOutcome } from '../../domain/records/outcome';
import { unpackBatch, unpackOutcomes } from '../../domain/records/packed-batch';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { inputOf, lastEventOf, readStart, valueAt, type HistoryEvent } from '../server/history';
import { batchesIn, type BatchFacts } from './batch-facts';
import { pendingWork, type PendingWork } from './batch-work';
import type {
  Activities,
  CloseBatchesInput,
  CloseBatchesResult,
  SettleBatchInput,
  SettleBatchResult,
} from '../../contracts/workflow/activities';

/** A batch and one run of its child. */
export type BatchRun = Pick<BatchSummary, 'batchId' | 'runId'>;

/** A batch and the policy it is processed with. */
export interface BatchInput extends ChildPolicy {
  batch: Batch;
  cut?: StoredCutReason;
}

/** How a batch ended. */
export interface BatchResult {
  /** Where the store put it, for example the file's name. */
  location: string;
  /** In batch order. */
  outcomes: RecordOutcome[];
}

/** What the description of a child says about one of its batches. */
export interface DescribedBatch extends BatchFacts {
  /** Unfinished activities of the child, for this batch and the others that have no file yet. */
  pending: PendingWork[];
}

/** An input can take a MiB, and the batches of a child are usually read one after another. */
const CACHED_INPUTS = 20;
/** Results never change, and clients poll. */
const CACHED_RESULTS = 5000;
const CACHED_EARLY_RESULTS = 5000;

/** Reads batches from Temporal, the only source of truth about them besides their files. */
export function createBatchReader(client: Client) {
  const inputs = new LRUCache<string, ChildInput>({ max: CACHED_INPUTS });
  const results = new LRUCache<string, ChildResult>({ max: CACHED_RESULTS });
  const earlyResults = new LRUCache<string, BatchResult>({ max: CACHED_EARLY_RESULTS });

  /** The batches of a child; none if the child is unknown or of another type. */
  async function factsIn(childId: string): Promise<DescribedBatch[]> {
    const info = await describeIfKnown(client, childId);
    if (info === undefined) return [];
    const facts = batchesIn(info);
    const [first] = facts;
    if (first === undefined) return [];
    const pending = await pendingWork(client, info, async (place, position) => {
      const { batches } = await childInput(first.summary);
      const records = batches[place - 1]?.records;
      return records && unpackBatch(records)[position - 1]?.recordId;
    });
    return facts.map((one) => ({ ...one, pending }));
  }

  async function childInput({ batchId, runId }: BatchRun): Promise<ChildInput> {
    const known = inputs.get(runId);
    if (known !== undefined) return known;
    const childId = childOfBatch(batchId);
    const input = (await inputOf(client, await readStart(client, childId, runId), childId)) as ChildInput;
    inputs.set(runId, input);
    return input;
  }

  /** The result of the child, from the last event of its history; undefined if it hasn't completed. */
  async function childResult({ batchId, runId }: BatchRun): Promise<ChildResult | undefined> {
    const known = results.get(runId);
    if (known !== undefined) return known;
    const last = await lastEventOf(client, childOfBatch(batchId), runId);
    const result = (await valueAt(client, last?.workflowExecutionCompletedEventAttributes?.result)) as
      ChildResult | undefined;
    if (result === undefined) return undefined;
    results.set(runId, result);
    return result;
  }

  /** The result of a batch that has its file while others of its child don't: from the activity that closed it. */
  async function earlyResult({ batchId, runId }: BatchRun): Promise<BatchResult> {
    const { events } = await callTemporal(client, `could not read the outcomes of batch ${batchId}`, () =>
      client.workflow.getHandle(childOfBatch(batchId), runId).fetchHistory(),
    );
    for await (const [closed, result] of closedIn(client, events ?? []))
      earlyResults.set(keyOf(closed, runId), result);
    const result = earlyResults.get(keyOf(batchId, runId));
    if (result === undefined) throw new TypeError(`batch ${batchId} has no outcomes in run ${runId}`);
    return result;
  }

  /** What the batch was started with, including its records: from the first event of its child's history. */
  async function input(run: BatchRun): Promise<BatchInput> {
    const { openedAtMs, batches, ...policy } = await childInput(run);
    const own = batches[placeInChild(run.batchId) - 1];
    if (own === undefined) throw new TypeError(`there is no batch ${run.batchId} in run ${run.runId}`);
    const { flushReason, records, cut } = own;
    return {
      ...policy,
      ...(cut !== undefined && { cut }),
      batch: { batchId: run.batchId, openedAtMs, flushReason, records: unpackBatch(records) },
    };
  }

  return {
    factsIn,
    input,

    /** Undefined if there is no such batch. */
    async facts(batchId: string): Promise<DescribedBatch | undefined> {
      const all = await factsIn(childOfBatch(batchId));
      return all.find(({ summary }) => summary.batchId === batchId);
    },

    /** The result of a batch that has its file. */
    async result(run: BatchRun): Promise<BatchResult> {
      const known = earlyResults.get(keyOf(run.batchId, run.runId));
      if (known !== undefined) return known;
      const result = await childResult(run);
      if (result === undefined) return earlyResult(run);
      const index = placeInChild(run.batchId) - 1;
      const location = result.locations[index];
      if (location === undefined) throw new TypeError(`there is no batch ${run.batchId} in run ${run.runId}`);
      const { batch } = await input(run);
      return { location, outcomes: unpackOutcomes(result.outcomes, index, batch.records).map(outcomeOf) };
    },
  };
}

export type BatchReader = ReturnType<typeof createBatchReader>;

function keyOf(batchId: string, runId: string): string {
  return `${runId}/${batchId}`;
}

/** Every batch that activities in this history have closed, with its outcomes. */
async function* closedIn(
  client: Client,
  events: readonly HistoryEvent[],
): AsyncGenerator<[batchId: string, BatchResult]> {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  for (const { activityTaskCompletedEventAttributes: completed } of events) {
    const attributes = scheduled.get(
      String(completed?.scheduledEventId),
    )?.activityTaskScheduledEventAttributes;
    const type = attributes?.activityType?.name as keyof Activities | undefined;
    if (type === 'closeBatches') {
      const { batches, kinds } = (await valueAt(client, attributes?.input)) as CloseBatchesInput;
      const results = ((await valueAt(client, completed?.result)) as CloseBatchesResult).batches;
      const of = batches.map(({ outcomes }) => outcomes);
      for (const [i, { batchId, records }] of batches.entries()) {
        const result = results[i];
        if (result === undefined || !('location' in result)) continue;
        const outcomes = unpackOutcomes({ kinds, of }, i, unpackBatch(records));
        yield [batchId, { location: result.location, outcomes: outcomes.map(outcomeOf) }];
      }
    } else if (type === 'settleBatch') {
      const { batch } = (await valueAt(client, attributes?.input)) as SettleBatchInput;
      yield [batch.batchId, (await valueAt(client, completed?.result)) as SettleBatchResult];
    }
  }
}
