import { HOUR } from '../../src/domain/duration';
import { historyFromText } from '../../src/temporal/replay/history-json';
import type { CommittedHistory } from './corpus';

interface Event extends Record<string, unknown> {
  eventId: string;
  eventType: string;
  eventTime: string;
}

/**
 * The same history, had somebody asked a question after each task while something else arrived. The question is refused
 * with the answers, and its task stays in history with nothing in it, directly behind what the task before has decided.
 */
export function withQuestions(committed: CommittedHistory): CommittedHistory {
  const { events } = JSON.parse(committed.text) as { events: Event[] };
  const ids = new Map<string, string>();
  const all: Event[] = [];
  let started: Event | undefined;
  let completed: Event | undefined;
  for (const [i, event] of events.entries()) {
    const eventId = String(all.length + 1);
    ids.set(event.eventId, eventId);
    all.push({ ...renumbered(event, ids), eventId });
    if (isOfType(event, 'STARTED')) started = event;
    if (isOfType(event, 'COMPLETED')) completed = event;
    const next = events[i + 1];
    if (started === undefined || completed === undefined || next === undefined) continue;
    if (isDecidedIn(completed, next)) continue;
    all.push(...question(started, completed, all.length + 1));
    completed = undefined;
  }
  return { ...committed, history: historyFromText(JSON.stringify({ events: all })) };
}

function isOfType({ eventType }: Event, end: string): boolean {
  return eventType === `EVENT_TYPE_WORKFLOW_TASK_${end}`;
}

/** Whether an event stands for something that the task has decided. */
function isDecidedIn({ eventId }: Event, event: Event): boolean {
  const [attributes] = Object.entries(event).flatMap(([name, value]) =>
    name.endsWith('EventAttributes') ? [value as Record<string, unknown>] : [],
  );
  return attributes?.['workflowTaskCompletedEventId'] === eventId || event.eventType.includes('_UPDATE_');
}

/** The task of a question, an hour later: so it matters if anything is taken for having been decided then. */
function question(started: Event, completed: Event, firstId: number): Event[] {
  const eventTime = new Date(Date.parse(started.eventTime) + HOUR).toISOString();
  const [scheduledEventId, startedEventId, eventId] = [firstId, firstId + 1, firstId + 2].map(String) as [
    string,
    string,
    string,
  ];
  const attributesOf = (event: Event, name: string) => event[name] as Record<string, unknown>;
  return [
    {
      eventId: scheduledEventId,
      eventTime,
      eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED',
      workflowTaskScheduledEventAttributes: { attempt: 1 },
    },
    {
      ...started,
      eventId: startedEventId,
      eventTime,
      workflowTaskStartedEventAttributes: {
        ...attributesOf(started, 'workflowTaskStartedEventAttributes'),
        scheduledEventId,
      },
    },
    {
      ...completed,
      eventId,
      eventTime,
      workflowTaskCompletedEventAttributes: {
        ...attributesOf(completed, 'workflowTaskCompletedEventAttributes'),
        scheduledEventId,
        startedEventId,
      },
    },
  ];
}

/** With the ids of other events as they are now. */
function renumbered(event: Event, ids: ReadonlyMap<string, string>): Event {
  return JSON.parse(JSON.stringify(event), (key, value: unknown) =>
    key !== 'eventId' && key.endsWith('EventId') && typeof value === 'string'
      ? (ids.get(value) ?? value)
      : value,
  ) as Event;
}
