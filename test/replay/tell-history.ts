import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { countClosed, type BatchGroupResult, type BatchResult } from '../../src/contracts/batch';
import { addRecordsSignal, type AcceptedRequest, type BatcherInput } from '../../src/contracts/batcher';
import { WORKFLOW_TYPE } from '../../src/contracts/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';

type HistoryEvent = NonNullable<History['events']>[number];
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** What happened in a history, a line or more an event that matters, in its order. The first line names the workflow type. */
export function tellHistory(history: History): string[] {
  const events = history.events ?? [];
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap((event) => tellEvent(event, (id) => byId.get(String(id)) ?? {}) ?? []);
}

function tellEvent(
  event: HistoryEvent,
  other: (eventId: unknown) => HistoryEvent,
): string | string[] | undefined {
  const activity = (scheduledEventId: unknown) =>
    other(scheduledEventId).activityTaskScheduledEventAttributes?.activityType?.name ?? '?';
  const attempt = (startedEventId: unknown) =>
    other(startedEventId).activityTaskStartedEventAttributes?.attempt ?? '?';

  const started = event.workflowExecutionStartedEventAttributes;
  if (started) {
    const run = started.continuedExecutionRunId ? 'continues an earlier run' : 'starts';
    return `${started.workflowType?.name ?? '?'} ${run}`;
  }
  const signalled = event.workflowExecutionSignaledEventAttributes;
  if (signalled) return [`signal ${signalled.signalName ?? '?'}`, ...partsIn(signalled)];
  const updated = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (updated) return `update ${updated.acceptedRequest?.input?.name ?? '?'}`;
  if (event.workflowExecutionCancelRequestedEventAttributes) return 'cancellation is requested';
  if (event.workflowExecutionTerminatedEventAttributes) return 'is terminated';

  const done = event.activityTaskCompletedEventAttributes;
  if (done) return `${activity(done.scheduledEventId)} succeeds at attempt ${attempt(done.startedEventId)}`;
  const failed = event.activityTaskFailedEventAttributes;
  if (failed) {
    const why = temporal.api.enums.v1.RetryState[failed.retryState ?? 0] ?? '?';
    return `${activity(failed.scheduledEventId)} fails for good: ${why.replace('RETRY_STATE_', '')}`;
  }
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName === 'core_local_activity') {
    const { activity_type: type = '?' } = firstOf(marker.details?.['data']) as { activity_type?: string };
    return `${type} ${marker.failure ? 'fails' : 'succeeds'} locally`;
  }
  if (marker?.markerName === 'core_patch') {
    const { id = '?' } = firstOf(marker.details?.['patch-data']) as { id?: string };
    return `patched: ${id}`;
  }
  const called = event.activityTaskCancelRequestedEventAttributes;
  if (called) return `${activity(called.scheduledEventId)} is called off`;
  if (event.timerFiredEventAttributes) return 'a timer fires';

  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) {
    if (child.workflowType?.name === WORKFLOW_TYPE.bufferPage) return 'a page starts';
    if (child.workflowType?.name === WORKFLOW_TYPE.batchGroup) return 'batches start together';
    const reason = child.searchAttributes?.indexedFields?.[SEARCH_ATTRIBUTES.flushReason.name];
    return `a batch starts: ${reason ? defaultPayloadConverter.fromPayload<string>(reason) : '?'}`;
  }
  const ended = event.childWorkflowExecutionCompletedEventAttributes;
  if (ended) return ended.workflowType?.name === WORKFLOW_TYPE.bufferPage ? undefined : 'a batch completes';
  if (event.childWorkflowExecutionTerminatedEventAttributes) return 'a batch is terminated';
  const sent = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  if (sent) return sent.signalName === 'takenIn' ? 'a page is let go' : 'the batcher is told';

  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  if (continued) {
    const inFlight = (firstOf(continued.input) as BatcherInput).carried?.inFlight.length ?? 0;
    return `continues as new, batches in flight: ${inFlight}`;
  }
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed) {
    const result = completed.result?.payloads?.length ? firstOf(completed.result) : undefined;
    if (result == null) return 'completes';
    const { batches, saved, rolledBack } = countClosed(result as BatchResult | BatchGroupResult);
    if (batches > 1) return `completes: ${saved} saved, ${rolledBack} rolled back in ${batches} batches`;
    return `completes: ${(result as BatchResult).outcomes.map(({ outcome }) => outcome).join(', ')}`;
  }
  return undefined;
}

/** Of streams of records. */
function partsIn({ signalName, input }: { signalName?: string | null; input?: Payloads }): string[] {
  if (signalName !== addRecordsSignal.name) return [];
  return (firstOf(input) as AcceptedRequest[]).flatMap(({ offset, part }) =>
    offset === undefined ? [] : `a part ${part ? 'under a key' : 'without a key'}, from record ${offset}`,
  );
}

function firstOf(payloads: Payloads): unknown {
  const payload = payloads?.payloads?.[0];
  if (!payload) throw new TypeError('an event without its payload');
  return defaultPayloadConverter.fromPayload(payload);
}
