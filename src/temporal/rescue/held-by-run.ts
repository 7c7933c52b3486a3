import { WorkflowNotFoundError, defaultPayloadConverter, type Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Activities, HeldByChild } from '../../contracts/activities';
import {
  addRecordsSignal,
  takeUpdate,
  type AcceptedRequest,
  type BatcherInput,
} from '../../contracts/batcher';
import type { ChildInput } from '../../contracts/child';
import { WORKFLOW_TYPE } from '../../contracts/ids';
import type { PackedBuffer } from '../../domain/buffer';
import { isObject, type JsonValue } from '../../domain/json';
import { recordIdOf } from '../../domain/record';
import { callTemporal } from '../server/calls';
import { inputIfKnown, inputOf } from '../server/first-event';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** A record as a client sent it. */
export interface HeldRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

/** The events of a run, fetched page by page. */
export async function* eventsOf(
  client: Client,
  workflowId: string,
  runId: string,
): AsyncGenerator<HistoryEvent> {
  let token: Uint8Array | undefined;
  do {
    const page = await callTemporal(client, `could not read the history of ${workflowId}`, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId, runId },
        ...(token !== undefined && { nextPageToken: token }),
      }),
    );
    yield* page.history?.events ?? [];
    token = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (token !== undefined);
}

/**
 * The records that reached a run of a batcher, from the run before (its pages too) or as messages, and that it had not put
 * into a batch when it ended. A message that a client repeated is in it once; one that repeats what an earlier run took
 * is in it too, though its records are in a batch of that run.
 */
export async function recordsHeldBy(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<HeldRecord[]> {
  const held = new Map<string, HeldRecord>();
  const note = ({ requestId, index, value }: HeldRecord): void => {
    held.set(recordIdOf(requestId, index), { requestId, index, value });
  };
  /** What children took that have started, and those of which that isn't known yet, by the event that asks for them. */
  const starting = new Map<string, string[]>();
  const scheduled = new Map<string, string>();
  const taken: string[] = [];
  for await (const event of eventsOf(client, workflowId, runId)) {
    for await (const record of recordsArrivingIn(client, workflowId, event)) note(record);
    const asked = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (asked?.workflowType?.name === WORKFLOW_TYPE.child)
      starting.set(String(event.eventId), recordIdsOf(firstOf(asked.input) as ChildInput));
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started != null) taken.push(...(starting.get(String(started.initiatedEventId)) ?? []));
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (activity !== undefined && activity !== null) scheduled.set(String(event.eventId), activity);
    const completed = event.activityTaskCompletedEventAttributes;
    // After a reset children of before are adopted.
    if (scheduled.get(String(completed?.scheduledEventId)) === READ_CHILD)
      taken.push(...idsOf(firstOf(completed?.result) as HeldByChild));
  }
  for (const recordId of taken) held.delete(recordId);
  return [...held.values()];
}

const READ_CHILD: keyof Activities = 'readChild';

function recordIdsOf({ batches }: ChildInput): string[] {
  return batches.flatMap(({ records }) =>
    records.flatMap(([requestId, first, values]) => values.map((_, i) => recordIdOf(requestId, first + i))),
  );
}

function idsOf({ records }: HeldByChild): string[] {
  return records.flatMap(([requestId, first, count]) =>
    Array.from({ length: count }, (_, i) => recordIdOf(requestId, first + i)),
  );
}

async function* recordsArrivingIn(
  client: Client,
  workflowId: string,
  event: HistoryEvent,
): AsyncGenerator<HeldRecord> {
  const started = event.workflowExecutionStartedEventAttributes;
  if (started != null) {
    const { carried } = inputOf(started, workflowId) as BatcherInput;
    if (carried === undefined) return;
    yield* recordsInBuffer(carried.buffer);
    for (const { pageId } of carried.pages) yield* await recordsInPage(client, pageId);
    yield* recordsInBuffer(carried.tail);
  }
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal?.signalName === addRecordsSignal.name) yield* recordsInMessage(signal.input);
  const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  if (update?.name === takeUpdate.name) yield* recordsInMessage(update.args);
}

/** The records of a page of a buffer; none of one that the server doesn't know any more. */
export async function recordsInPage(client: Client, pageId: string): Promise<HeldRecord[]> {
  const content = (await inputIfKnown(client, pageId)) as PackedBuffer | undefined;
  return content === undefined ? [] : [...recordsInBuffer(content)];
}

function* recordsInBuffer({ runs }: PackedBuffer): Generator<HeldRecord> {
  for (const [requestId, , , first, values] of runs) {
    for (const [i, value] of values.entries()) yield { requestId, index: first + i, value };
  }
}

/** Somebody may have sent anything; what the batcher took no record from has none here. */
function* recordsInMessage(payloads: Payloads): Generator<HeldRecord> {
  const requests = firstOf(payloads);
  if (!Array.isArray(requests)) return;
  for (const request of requests as unknown[]) {
    if (!isObject(request)) continue;
    const { requestId, values, offset = 0 }: Partial<AcceptedRequest> = request;
    if (typeof requestId !== 'string' || !Array.isArray(values) || typeof offset !== 'number') continue;
    for (const [i, value] of values.entries()) yield { requestId, index: offset + i, value };
  }
}

function firstOf(payloads: Payloads): unknown {
  const payload = payloads?.payloads?.[0];
  return payload == null ? undefined : defaultPayloadConverter.fromPayload(payload);
}

/** How a run stands; undefined for one that the server doesn't know. */
export async function describeRun(client: Client, workflowId: string) {
  try {
    return await callTemporal(client, `could not ask for ${workflowId}`, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
