import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { GivenCommand } from '../../contracts/workflow/replay';
import { readableName } from '../server/enum-names';
import type { HistoryEvent } from './recorded-history';

/** Commands that leave no event of their own in the order of the others. */
const WITHOUT_EVENT = new Set(['respondToQuery', 'updateResponse', 'nothing']);

const IN_WORDS = new Map(
  Object.entries({
    cancelTimer: 'calls off a timer',
    requestCancelActivity: 'calls off an activity',
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

/** A command of today's code in words, the same as those of the event that it would leave; undefined where it leaves none. */
export function tellCommand({ kind, type = '?', id = '?' }: GivenCommand): string | undefined {
  if (WITHOUT_EVENT.has(kind)) return undefined;
  if (kind === 'scheduleActivity') return `runs the activity ${type} under the id ${id}`;
  if (kind === 'startChildWorkflowExecution') return `starts the child ${type} ${id}`;
  if (kind === 'startTimer') return `starts a timer (number ${id})`;
  if (kind === 'setPatchMarker') return `passes the patch ${id}`;
  return IN_WORDS.get(kind) ?? kind;
}

/** The command that an event stands for, in words, and the task that gave it; undefined for other events. */
export function tellRecordedCommand(
  event: HistoryEvent,
): { taskCompletedEventId: number; told: string } | undefined {
  const command = recordedCommand(event);
  const attributes = attributesOf(event) as { workflowTaskCompletedEventId?: unknown } | undefined;
  const told = command && tellCommand(command);
  if (told === undefined) return undefined;
  return { taskCompletedEventId: Number(attributes?.workflowTaskCompletedEventId), told };
}

/** An event's type as the Web UI calls it, e.g. `ActivityTaskScheduled`. */
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
    // Temporal's own, beside the marker of a patch: no command of the code's.
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

/** Markers stand for patches, and for what else the SDK keeps in a history by itself. */
function markedCommand({ details, markerName }: temporal.api.history.v1.IMarkerRecordedEventAttributes) {
  if (markerName !== 'core_patch') return { kind: markerName ?? '?' };
  const payload = details?.['patch-data']?.payloads?.[0];
  const data = payload && defaultPayloadConverter.fromPayload<{ id?: string }>(payload);
  return given('setPatchMarker', data?.id);
}

function attributesOf(event: HistoryEvent): unknown {
  return Object.entries(event).find(
    ([name, value]) => name.endsWith('EventAttributes') && value != null,
  )?.[1];
}
