import type { History } from '@temporalio/common/lib/proto-utils';
import type { GivenRecords, GivenCommand } from '../../contracts/workflow/replay';
import { eventTypeOf, describeCommand, describeRecordedCommand } from './commands';
import type { HistoryEvent } from './recorded-history';

/** Where a history and today's code differ, in words. */
export interface Mismatch {
  /** The event where they differ; null if Temporal doesn't say and it can't be found. */
  eventId: number | null;
  /** As the Web UI shows it, for example `ActivityTaskScheduled`. */
  eventType: string | null;
  /** What the history has there. */
  recorded: string;
  /** What today's code does there. */
  now: string;
  /** `<name of the error>: <message>`, as the SDK reports the mismatch. */
  original: string;
}

/** What today's code did in one workflow task. */
export interface ReplayedTask {
  /** The task's `WorkflowTaskStarted` event; 0 before the first. */
  startedEventId: number;
  given: readonly GivenCommand[];
}

const NOTHING_MORE = 'does nothing more in this workflow task';

/** Explains why a replay failed in, or right after, the last replayed task. */
export function explainError(history: History, error: Error, task: ReplayedTask): Mismatch {
  const events = history.events ?? [];
  const original = `${error.name}: ${error.message}`;
  const at = (event: HistoryEvent | undefined, recorded: string, now: string): Mismatch => ({
    eventId: event ? Number(event.eventId) : null,
    eventType: event ? eventTypeOf(event) : null,
    recorded,
    now,
    original,
  });
  const atTask = events.find((event) => Number(event.eventId) === Math.max(1, task.startedEventId));
  if (error.name === 'ReplayError') return at(atTask, 'goes on', `fails: ${innermost(error)}`);

  const recorded = recordedCommands(events, task.startedEventId);
  const given = task.given.flatMap((command) => describeCommand(command) ?? []);
  const namedId = Number(/HistoryEvent(?:\(id| \{ event_id): (\d+)/.exec(error.message)?.[1]);
  const named = events.find((event) => Number(event.eventId) === namedId);
  const namedIndex = recorded.findIndex(({ event }) => event === named);
  const differs = (index: number) => recorded[index]?.text !== given[index];
  const index =
    namedIndex >= 0 && differs(namedIndex)
      ? namedIndex
      : [...recorded, ...given].findIndex((_, i) => differs(i));
  if (index >= 0) {
    return at(
      recorded[index]?.event ?? atTask,
      recorded[index]?.text ?? NOTHING_MORE,
      given[index] ?? NOTHING_MORE,
    );
  }
  if (named) return at(named, `has ${eventTypeOf(named)}`, 'has nothing that this belongs to');
  return at(atTask, 'see below', 'see below');
}

/** Compares which records are in which batch and page, which Temporal doesn't. Undefined if they are the same. */
export function explainOtherRecords(
  history: History,
  recorded: GivenRecords,
  replayed: GivenRecords,
): Mismatch | undefined {
  const ids = [...new Set([...Object.keys(recorded), ...Object.keys(replayed)])];
  const different = ids.filter((id) => recorded[id]?.join() !== replayed[id]?.join());
  const [first] = different;
  if (first === undefined) return undefined;
  const holds = (recordIds: string[] | undefined) => recordIds?.join(', ') ?? 'nothing';
  const told = different.map(
    (id) => `${id} held ${holds(recorded[id])} and now holds ${holds(replayed[id])}`,
  );
  const event = history.events?.find(
    (one) => one.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId === first,
  );
  return {
    eventId: event ? Number(event.eventId) : null,
    eventType: event ? eventTypeOf(event) : null,
    recorded: `starts ${first} with ${holds(recorded[first])}`,
    now: `starts ${first} with ${holds(replayed[first])}`,
    original: `OtherBatches: ${told.join('; ')}`,
  };
}

/** What workflow code threw, extracted from the SDK's text of the failure around it. */
function innermost({ message }: Error): string {
  const quoted = /message: "((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
  return quoted?.replaceAll('\\"', '"') ?? message;
}

/** The events that record the commands of a task, in order, with the commands in words. */
function recordedCommands(events: readonly HistoryEvent[], taskStartedEventId: number) {
  const completed = events.find(
    (event) => Number(event.workflowTaskCompletedEventAttributes?.startedEventId) === taskStartedEventId,
  );
  if (completed === undefined) return [];
  return events.flatMap((event) => {
    const command = describeRecordedCommand(event);
    return command?.taskCompletedEventId === Number(completed.eventId) ? [{ event, text: command.text }] : [];
  });
}
