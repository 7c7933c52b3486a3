import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { GivenCommand } from '../../contracts/workflow/replay';
import { readableName } from '../server/enum-names';
import type { HistoryEvent } from './recorded-history';

/** Commands that don't leave an event of their own in the history. */
const WITHOUT_EVENT = new Set(['respondToQuery', 'updateResponse', 'nothing']);

const IN_WORDS = new Map(
  Object.entries({
    cancelTimer: 'cancels a timer',
    requestCancelActivity: 'cancels an activity',
    signalExternalWorkflowExecution: 'signals another workflow',
    requestCancelExternalWorkflowExecution: 'cancels another workflow',
    upsertWorkflowSearchAttributes: 'sets search attributes',
    modifyWorkflowProperties: 'sets the memo',
    completeWorkflowExecution: 'completes',
    failWorkflowExecution: 'fails',
    cancelWorkflowExecution: 'ends as cancelled',
    continueAsNewWorkflowExecution: 'continues as new',
  }),
);

/** Describes a command in words, in the same way as the event that it would leave; undefined if it leaves none. */
export function describeCommand({ kind, type = '?', id = '?' }: GivenCommand): string | undefined {
  if (WITHOUT_EVENT.has(kind)) return undefined;
  if (kind === 'scheduleActivity') return `runs the activity ${type} under the id ${id}`;
  if (kind === 'scheduleLocalActivity') return `runs the local activity ${type}`;
  if (kind === 'startChildWorkflowExecution') return `starts the child ${type} ${id}`;
  if (kind === 'startTimer') return `starts a timer (number ${id})`;
  if (kind === 'setPatchMarker') return `passes the patch ${id}`;
  return IN_WORDS.get(kind) ?? kind;
}

/** Describes the command that an event records, with the task it belongs to; undefined for other events. */
export function describeRecordedCommand(
  event: HistoryEvent,
): { taskCompletedEventId: number; text: string } | undefined {
  const command = recordedCommand(event);
  const attributes = attributesOf(event) as { workflowTaskCompletedEventId?: unknown } | undefined;
  const text = command && describeCommand(command);
  if (text === undefined) return undefined;
  return { taskCompletedEventId: Number(attributes?.workflowTaskCompletedEventId), text };
}

/** An event's type as the Web UI shows it, for example `ActivityTaskScheduled`. */
export function eventTypeOf({ eventType }: HistoryEvent): string {
  return readableName((temporal.api.enums.v1.EventType[eventType ?? 0] ?? '?').replace('EVENT_TYPE_', ''));
}

function recordedCommand(event: HistoryEvent): GivenCommand | undefined {
  const activity = event.activityTaskScheduledEventAttributes;
  if (activity) return given('scheduleActivity', activity.activityId, activity.activityType?.name);
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) return given('startChildWorkflowExecution', child.workflowId, child.workflowType?.name);
  if (event.timerStartedEventAttributes)
    return given('startTimer', event.timerStartedEventAttributes.timerId);
  const marker = event.markerRecordedEventAttributes;
  if (marker) return markedCommand(marker);
  const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  if (upserted) {
    // Temporal writes this one itself, next to the marker of a patch.
    const ofPatch = Object.keys(upserted).every((name) => name === 'TemporalChangeVersion');
    return ofPatch ? undefined : { kind: 'upsertWorkflowSearchAttributes' };
  }
  const kind = KIND_OF_EVENT.find(([attributes]) => event[attributes])?.[1];
  return kind === undefined ? undefined : { kind };
}

const KIND_OF_EVENT = [
  ['timerCanceledEventAttributes', 'cancelTimer'],
  ['activityTaskCancelRequestedEventAttributes', 'requestCancelActivity'],
  ['signalExternalWorkflowExecutionInitiatedEventAttributes', 'signalExternalWorkflowExecution'],
  [
    'requestCancelExternalWorkflowExecutionInitiatedEventAttributes',
    'requestCancelExternalWorkflowExecution',
  ],
  ['workflowPropertiesModifiedEventAttributes', 'modifyWorkflowProperties'],
  ['workflowExecutionCompletedEventAttributes', 'completeWorkflowExecution'],
  ['workflowExecutionFailedEventAttributes', 'failWorkflowExecution'],
  ['workflowExecutionCanceledEventAttributes', 'cancelWorkflowExecution'],
  ['workflowExecutionContinuedAsNewEventAttributes', 'continueAsNewWorkflowExecution'],
] as const satisfies readonly (readonly [keyof HistoryEvent, string])[];

function given(kind: string, id: string | null | undefined, type?: string | null): GivenCommand {
  return { kind, ...(id != null && { id }), ...(type != null && { type }) };
}

/** Markers record patches, local activities, and other data that the SDK stores itself. */
function markedCommand({ details, markerName }: temporal.api.history.v1.IMarkerRecordedEventAttributes) {
  const read = (name: string): unknown => {
    const payload = details?.[name]?.payloads?.[0];
    return payload && defaultPayloadConverter.fromPayload(payload);
  };
  if (markerName === 'core_patch') {
    const patch = read('patch-data') as { id?: string } | undefined;
    return given('setPatchMarker', patch?.id);
  }
  if (markerName === 'core_local_activity') {
    const activity = read('data') as { activity_type?: string } | undefined;
    return given('scheduleLocalActivity', undefined, activity?.activity_type);
  }
  return { kind: markerName ?? '?' };
}

function attributesOf(event: HistoryEvent): unknown {
  return Object.entries(event).find(
    ([name, value]) => name.endsWith('EventAttributes') && value != null,
  )?.[1];
}
