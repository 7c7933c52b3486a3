import { defaultPayloadConverter, type Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { LRUCache } from 'lru-cache';
import type {
  Activities,
  CloseBatchInput,
  CloseBatchesInput,
  CloseBatchesResult,
  SettleBatchInput,
} from '../contracts/activities';
import type { BatchGroupInput, BatchGroupResult, BatchResult } from '../contracts/batch';
import { placeInGroup, workflowIdOf } from '../domain/batch';
import { outcomeOf } from '../domain/outcome';
import { unpackBatch, unpackOutcomes } from '../domain/packed-batch';
import type { KeptRecord } from '../domain/record';
import type { ClosedBatch } from '../domain/record-store';
import { inputOf, readStart } from './first-event';
import { callTemporal } from './rpc';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** Their batches are asked for one after another; of large values an input takes up to a MiB. */
const CACHED_INPUTS = 20;
const CACHED_RESULTS = 500;
const CACHED_EARLY_RESULTS = 5000;

/** A run of a workflow of several batches, by one of them. */
interface RunOfGroup {
  batchId: string;
  runId: string;
}

/** Reads single batches out of workflows that hold several. */
export function createGroupReader(client: Client) {
  const inputs = new LRUCache<string, BatchGroupInput>({ max: CACHED_INPUTS });
  const results = new LRUCache<string, BatchGroupResult>({ max: CACHED_RESULTS });
  const earlyResults = new LRUCache<string, BatchResult>({ max: CACHED_EARLY_RESULTS });

  async function inputOfGroup({ batchId, runId }: RunOfGroup): Promise<BatchGroupInput> {
    const workflowId = workflowIdOf(batchId);
    const known = inputs.get(runId);
    if (known !== undefined) return known;
    const input = inputOf(await readStart(client, workflowId, runId), workflowId) as BatchGroupInput;
    inputs.set(runId, input);
    return input;
  }

  /** The result of the whole; undefined when it hasn't completed. */
  async function resultOfGroup({ batchId, runId }: RunOfGroup): Promise<BatchGroupResult | undefined> {
    const known = results.get(runId);
    if (known !== undefined) return known;
    const { history } = await callTemporal(client, `could not read the outcomes of batch ${batchId}`, () =>
      client.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: client.options.namespace,
        execution: { workflowId: workflowIdOf(batchId), runId },
        maximumPageSize: 1,
      }),
    );
    const completed = history?.events?.[0]?.workflowExecutionCompletedEventAttributes;
    if (completed == null) return undefined;
    const result = firstOf(completed.result) as BatchGroupResult;
    results.set(runId, result);
    return result;
  }

  /** Of a batch that has its file while others haven't: from the activity that has closed it. */
  async function earlyResult({ batchId, runId }: RunOfGroup): Promise<BatchResult> {
    const workflowId = workflowIdOf(batchId);
    const { events } = await callTemporal(client, `could not read the outcomes of batch ${batchId}`, () =>
      client.workflow.getHandle(workflowId, runId).fetchHistory(),
    );
    for (const [closed, result] of closedIn(events ?? [])) earlyResults.set(keyOf(closed, runId), result);
    const result = earlyResults.get(keyOf(batchId, runId));
    if (result === undefined) throw new TypeError(`batch ${batchId} has no outcomes in run ${runId}`);
    return result;
  }

  return {
    /** The batch in the group's input, as a workflow of its own would have been started with. */
    async input(run: RunOfGroup) {
      const { openedAtMs, batches, ...policy } = await inputOfGroup(run);
      const own = batches[(placeInGroup(run.batchId) ?? 0) - 1];
      if (own === undefined) throw new TypeError(`there is no batch ${run.batchId} in run ${run.runId}`);
      const { flushReason, records, cut } = own;
      return {
        ...policy,
        ...(cut !== undefined && { cut }),
        batch: { batchId: run.batchId, openedAtMs, flushReason, records: unpackBatch(records) },
      };
    },

    /** The outcomes of a batch that has its file. */
    async result(run: RunOfGroup): Promise<BatchResult> {
      const known = earlyResults.get(keyOf(run.batchId, run.runId));
      if (known !== undefined) return known;
      const own = (await resultOfGroup(run))?.batches[(placeInGroup(run.batchId) ?? 0) - 1];
      if (own === undefined) return earlyResult(run);
      const { batch } = await this.input(run);
      return outcomesOf(own.location, unpackOutcomes(own.outcomes, batch.records));
    },
  };
}

/** Every batch that the activities in a history have closed. */
function* closedIn(events: readonly HistoryEvent[]): Generator<[batchId: string, BatchResult]> {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  for (const { activityTaskCompletedEventAttributes: completed } of events) {
    const attributes = scheduled.get(
      String(completed?.scheduledEventId),
    )?.activityTaskScheduledEventAttributes;
    const type = attributes?.activityType?.name as keyof Activities | undefined;
    if (type === 'closeBatches') {
      const { batches } = firstOf(attributes?.input) as CloseBatchesInput;
      const told = (firstOf(completed?.result) as CloseBatchesResult).batches;
      for (const [i, { batchId, records, outcomes }] of batches.entries()) {
        const one = told[i];
        if (one === undefined || !('location' in one)) continue;
        yield [batchId, outcomesOf(one.location, unpackOutcomes(outcomes, unpackBatch(records)))];
      }
    } else if (type === 'closeBatch') {
      const { batch, records } = firstOf(attributes?.input) as CloseBatchInput;
      yield [batch.batchId, outcomesOf((firstOf(completed?.result) as ClosedBatch).location, records)];
    } else if (type === 'settleBatch') {
      const { batch } = firstOf(attributes?.input) as SettleBatchInput;
      yield [batch.batchId, firstOf(completed?.result) as BatchResult];
    }
  }
}

function outcomesOf(
  location: string,
  records: readonly (KeptRecord & Parameters<typeof outcomeOf>[0])[],
): BatchResult {
  return { location, outcomes: records.map(outcomeOf) };
}

function firstOf(payloads: Payloads): unknown {
  const payload = payloads?.payloads?.[0];
  if (payload == null) throw new TypeError('an event without its payload');
  return defaultPayloadConverter.fromPayload(payload);
}

function keyOf(batchId: string, runId: string): string {
  return `${runId}/${batchId}`;
}
