/* How a child is started: its input, and what visibility and Temporal's Web UI show of it. */
import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type {
  BatchInChild,
  ChildInput,
  ChildMemo,
  ChildPolicy,
  ChildWorkflow,
} from '../../../src/contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../../src/contracts/workflow/ids';
import { MAX_SUMMARY_BYTES } from '../../../src/contracts/workflow/run-limits';
import {
  MIXED_REASONS,
  SEARCH_ATTRIBUTES,
  indexedRequestIds,
} from '../../../src/contracts/workflow/search-attributes';
import { SAVE_ACTIVITY, type SaveShape } from '../../../src/contracts/workflow/settings';
import { counted } from '../../../src/domain/format';
import { ruleIndexOf } from '../../../src/domain/running/rule-index';
import { storedReason } from '../../../src/domain/explain/cut-reason';
import type { ExplainedFlush } from '../../../src/domain/explain/cut-reason';
import { cutToBytes } from '../../../src/domain/records/outcome';
import { packBatch } from '../../../src/domain/records/packed-batch';
import type { TraceContext } from '../../../src/domain/records/trace-context';
import { flushPolicyOf } from './free-slots';
import type { BatcherState } from '../run/state';

/** The requests whose records are in these batches. */
export function requestIdsOf(flushes: readonly ExplainedFlush[]): string[] {
  return [...new Set(flushes.flatMap(({ records }) => records.map((record) => record.requestId)))];
}

/**
 * Starts a child under an id.
 * @param idKey key of the hashes of request ids in search attributes; without it, they are there in clear
 * @returns undefined if the id is taken
 */
export async function startChildUnder(
  childId: string,
  input: ChildInput,
  flushes: readonly ExplainedFlush[],
  idKey: string | undefined,
): Promise<ChildWorkflowHandle<ChildWorkflow> | undefined> {
  try {
    return await startChildWith(childId, input, flushes, requestIdsOf(flushes), idKey);
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

function startChildWith(
  workflowId: string,
  input: ChildInput,
  flushes: readonly ExplainedFlush[],
  requestIds: readonly string[],
  idKey: string | undefined,
): Promise<ChildWorkflowHandle<ChildWorkflow>> {
  const reasons = new Set(flushes.map(({ reason }) => reason));
  const [first] = reasons;
  const reason = first !== undefined && reasons.size === 1 ? first : MIXED_REASONS;
  return startChild<ChildWorkflow>(WORKFLOW_TYPE.child, {
    workflowId,
    args: [input],
    memo: { ...childMemo(flushes, requestIds) },
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: cutToBytes(summaryOf(flushes, reason, requestIds), MAX_SUMMARY_BYTES),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowInfo().workflowId },
      { key: SEARCH_ATTRIBUTES.flushReason, value: reason },
      { key: SEARCH_ATTRIBUTES.requestIds, value: indexedRequestIds(requestIds, idKey) },
    ]),
  });
}

export function childInput(
  state: BatcherState,
  flushes: readonly ExplainedFlush[],
  shape: SaveShape,
  openedAtMs: number,
): ChildInput {
  const policy = policyFor(state, flushes, shape);
  const batches = flushes.map(({ reason, records, cut }): BatchInChild => {
    const waitedMs: number[] = [];
    const noteWait = (first: number) =>
      waitedMs.push(openedAtMs - (records[first]?.acceptedAtMs ?? openedAtMs));
    return {
      flushReason: reason,
      records: packBatch(records, noteWait),
      ...(cut !== undefined && { cut: storedReason(cut, policy.cutBy.rules) }),
      waitedMs,
    };
  });
  const traces = tracesOf(flushes);
  return { openedAtMs, batches, ...(traces.length > 0 && { traces }), ...policy };
}

function tracesOf(flushes: readonly ExplainedFlush[]): [requestId: string, trace: TraceContext][] {
  const traces = new Map<string, TraceContext>();
  for (const { records } of flushes)
    for (const { requestId, trace } of records) if (trace !== undefined) traces.set(requestId, trace);
  return [...traces];
}

function policyFor(state: BatcherState, flushes: readonly ExplainedFlush[], shape: SaveShape): ChildPolicy {
  const { maxAttempts, retryIntervalMs, outcomeFormat, onFailure } = state.settings;
  const { maxBatchSize, conflicts } = flushPolicyOf(state);
  const { saving } = state;
  const records = flushes.flatMap((flush) => flush.records);
  return {
    maxAttempts,
    retryIntervalMs,
    outcomeFormat,
    onFailure,
    cutBy: { maxBatchSize, rules: ruleIndexOf(conflicts).applyingTo(records) },
    ...(state.idKey !== undefined && { idsHidden: true as const }),
    ...(shape === SAVE_ACTIVITY.batch && { bulk: saving.due === null ? {} : { due: saving.due } }),
  };
}

function childMemo(flushes: readonly ExplainedFlush[], requestIds: readonly string[]): ChildMemo {
  const sizes = new Map(
    flushes.flatMap(({ records }) => records.map((record) => [record.requestId, record.requestSize])),
  );
  const indexes = new Map(requestIds.map((requestId, index) => [requestId, index]));
  return {
    requests: requestIds.map((requestId) => [requestId, sizes.get(requestId) ?? 0]),
    batches: flushes.map(({ reason, records }) => [
      reason,
      [...new Set(records.map(({ requestId }) => indexes.get(requestId) ?? 0))],
    ]),
  };
}

function summaryOf(
  flushes: readonly ExplainedFlush[],
  reason: string,
  requestIds: readonly string[],
): string {
  const batches = flushes.length === 1 ? '' : `${counted(flushes.length, 'batch')}, `;
  const records = flushes.reduce((sum, flush) => sum + flush.records.length, 0);
  const from = requestIds.length === 1 ? `request ${requestIds[0]}` : counted(requestIds.length, 'request');
  return `${batches}${counted(records, 'record')} (${reason}) from ${from}`;
}
