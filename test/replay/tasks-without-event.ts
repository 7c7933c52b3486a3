interface Event extends Record<string, unknown> {
  eventId: string;
  eventType: string;
}

const TASK = 'EVENT_TYPE_WORKFLOW_TASK_';
const COMPLETED = `${TASK}COMPLETED`;
const OF_UPDATES = ['ACCEPTED', 'COMPLETED'].map((end) => `EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_${end}`);

/**
 * The tasks, by the event that completed them, that brought something and are followed by an event which isn't theirs:
 * were that another task, a replay would take both for one (see workflows/batcher/run/own-events.ts).
 */
export function tasksWithoutEvent(text: string): string[] {
  const { events } = JSON.parse(text) as { events: Event[] };
  const found: string[] = [];
  let brought = 0;
  for (const [i, event] of events.entries()) {
    if (!event.eventType.startsWith(TASK)) brought++;
    if (event.eventType !== COMPLETED) continue;
    const next = events[i + 1];
    if (brought > 0 && next !== undefined && !isDecidedIn(event, next)) found.push(event.eventId);
    brought = 0;
    // What the task decided was brought by none.
    for (let at = i + 1; events[at] !== undefined && isDecidedIn(event, events[at]!); at++) brought--;
  }
  return found;
}

function isDecidedIn({ eventId }: Event, next: Event): boolean {
  if (OF_UPDATES.includes(next.eventType)) return true;
  return Object.values(next).some(
    (attributes) =>
      typeof attributes === 'object' &&
      attributes !== null &&
      'workflowTaskCompletedEventId' in attributes &&
      attributes.workflowTaskCompletedEventId === eventId,
  );
}
