import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import type { SaveBatchesResult } from '../../src/contracts/workflow/activities';
import {
  addRecordsSignal,
  takeUpdate,
  type AcceptedRequest,
  type BatcherInput,
} from '../../src/contracts/workflow/batcher';
import { closedBatchesOf, type ChildInput, type ChildResult } from '../../src/contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';

type HistoryEvent = NonNullable<History['events']>[number];
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** What happened in a history, a line or more an event that matters, in its order. The first line names the workflow type. */
export function tellHistory(history: History): string[] {
  const events = history.events ?? [];
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  let saveAttempts = 0;
  return events.flatMap((event) => {
    const save = savedInBulk(event, byId);
    if (save !== undefined) return tellBulkSave(event, byId, save, ++saveAttempts);
    return tellEvent(event, byId) ?? [];
  });
}

type Events = ReadonlyMap<string, HistoryEvent>;

function tellEvent(event: HistoryEvent, events: Events): string | string[] | undefined {
  const started = event.workflowExecutionStartedEventAttributes;
  if (started) {
    const run = started.continuedExecutionRunId ? 'continues an earlier run' : 'starts';
    const type = started.workflowType?.name ?? '?';
    return [`${type} ${run}`, ...(type === WORKFLOW_TYPE.child ? waysIn(started.input) : [])];
  }
  const signalled = event.workflowExecutionSignaledEventAttributes;
  if (signalled) {
    const { signalName: name, input } = signalled;
    return [`signal ${name ?? '?'}`, ...(name === addRecordsSignal.name ? partsIn(input) : [])];
  }
  const updated = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  if (updated)
    return [
      `update ${updated.name ?? '?'}`,
      ...(updated.name === takeUpdate.name ? partsIn(updated.args) : []),
    ];
  if (event.workflowExecutionCancelRequestedEventAttributes) return 'cancellation is requested';
  if (event.workflowExecutionTerminatedEventAttributes) return 'is terminated';
  return tellActivity(event, events) ?? tellChild(event) ?? tellEnd(event);
}

function tellActivity(event: HistoryEvent, events: Events): string | undefined {
  if (event.timerStartedEventAttributes) return 'a timer starts';
  if (event.timerFiredEventAttributes) return 'a timer fires';
  const done = event.activityTaskCompletedEventAttributes;
  if (done) {
    const type = activityOf(done.scheduledEventId, events);
    return `${type} succeeds at attempt ${attemptOf(done.startedEventId, events)}`;
  }
  const failed = event.activityTaskFailedEventAttributes;
  if (failed) {
    const why = temporal.api.enums.v1.RetryState[failed.retryState ?? 0] ?? '?';
    return `${activityOf(failed.scheduledEventId, events)} fails for good: ${why.replace('RETRY_STATE_', '')}`;
  }
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName === 'core_local_activity') {
    const { activity_type: type } = firstOf(marker.details?.['data']) as { activity_type: string };
    return `${type} ${marker.failure ? 'fails' : 'succeeds'} in the task`;
  }
  const called = event.activityTaskCancelRequestedEventAttributes;
  return called ? `${activityOf(called.scheduledEventId, events)} is called off` : undefined;
}

/** What an attempt to save in bulk came to. */
function savedInBulk(event: HistoryEvent, events: Events): SaveBatchesResult | undefined {
  const done = event.activityTaskCompletedEventAttributes;
  if (!done || activityOf(done.scheduledEventId, events) !== 'saveBatches') return undefined;
  return firstOf(done.result) as SaveBatchesResult;
}

/** @param number of the attempt among those of the child; Temporal's own attempts are made when a worker is gone */
function tellBulkSave(
  event: HistoryEvent,
  events: Events,
  { failed }: SaveBatchesResult,
  number: number,
): string[] {
  const { startedEventId } = event.activityTaskCompletedEventAttributes ?? {};
  const but = failed.length === 0 ? '' : ` but ${failed.length} record${failed.length === 1 ? '' : 's'}`;
  return [
    `saveBatches succeeds at attempt ${attemptOf(startedEventId, events)}`,
    `attempt ${number} saves all${but}`,
  ];
}

function tellChild(event: HistoryEvent): string | undefined {
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) {
    if (child.workflowType?.name === WORKFLOW_TYPE.bufferPage) return 'a page starts';
    const { batches, bulk } = firstOf(child.input) as ChildInput;
    const reason = child.searchAttributes?.indexedFields?.[SEARCH_ATTRIBUTES.flushReason.name];
    const told = reason ? defaultPayloadConverter.fromPayload<string>(reason) : '?';
    return bulk === undefined
      ? `a batch starts: ${told}`
      : `${batches.length} batches start in bulk: ${told}`;
  }
  if (event.startChildWorkflowExecutionFailedEventAttributes) return 'an id is taken';
  const ended = event.childWorkflowExecutionCompletedEventAttributes;
  if (ended) return ended.workflowType?.name === WORKFLOW_TYPE.bufferPage ? undefined : 'a child completes';
  if (event.childWorkflowExecutionTerminatedEventAttributes) return 'a child is terminated';
  const sent = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  if (sent) return sent.signalName === 'takenIn' ? 'a page is let go' : 'the batcher is told';
  return undefined;
}

function tellEnd(event: HistoryEvent): string | undefined {
  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  if (continued) {
    const { carried } = firstOf(continued.input) as BatcherInput;
    return `continues as new, children in flight: ${carried?.inFlight.length ?? 0}`;
  }
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (!completed) return undefined;
  const result = completed.result?.payloads?.length ? firstOf(completed.result) : undefined;
  if (result == null) return 'completes';
  const { outcomes } = result as ChildResult;
  const { batches, saved, rolledBack } = closedBatchesOf({ outcomes });
  if (batches > 1) return `completes: ${saved} saved, ${rolledBack} rolled back in ${batches} batches`;
  return `completes: ${(outcomes.of[0] ?? []).map((kind) => outcomes.kinds[kind]?.outcome).join(', ')}`;
}

/** How a child goes about its batches. */
function waysIn(input: Payloads): string[] {
  const { settle, bulk } = firstOf(input) as ChildInput;
  if (settle !== undefined) return ['settles what an earlier run left'];
  return bulk === undefined ? [] : ['saves in bulk'];
}

/** Of streams of records. */
function partsIn(input: Payloads): string[] {
  const requests = firstOf(input);
  // Anybody may send anything.
  if (!Array.isArray(requests)) return [];
  return (requests as AcceptedRequest[]).flatMap(({ offset, part }) =>
    offset === undefined ? [] : `a part ${part ? 'under a key' : 'without a key'}, from record ${offset}`,
  );
}

function activityOf(scheduledEventId: unknown, events: Events): string {
  return (
    events.get(String(scheduledEventId))?.activityTaskScheduledEventAttributes?.activityType?.name ?? '?'
  );
}

function attemptOf(startedEventId: unknown, events: Events): number | '?' {
  return events.get(String(startedEventId))?.activityTaskStartedEventAttributes?.attempt ?? '?';
}

function firstOf(payloads: Payloads): unknown {
  const payload = payloads?.payloads?.[0];
  if (!payload) throw new TypeError('an event without its payload');
  return defaultPayloadConverter.fromPayload(payload);
}
