import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Activities, HeldByChild, LeftByBatcher } from '../../contracts/workflow/activities';
import {
  addRecordsSignal,
  takeUpdate,
  type AcceptedRequest,
  type BatcherInput,
  type CarriedState,
} from '../../contracts/workflow/batcher';
import type { ChildInput } from '../../contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { isObject, type JsonValue } from '../../domain/json';
import { KEY_KIND, unpackKeys, type RequestDigest } from '../../domain/windows/key-window';
import { recordIdOf } from '../../domain/records/record';
import { eventsOf, firstValue, inputIfKnown, inputOf, type HistoryEvent } from '../server/history';

type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** A record as a client sent it. */
export interface HeldRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

/** What a run of a batcher held when it ended. */
export interface HeldByRun {
  /** What had reached it, from the previous run (including its pages) or in messages, and was in no batch. */
  records: HeldRecord[];
  /** The sizes of the requests of these records; for streams, as far as they had arrived. */
  sizes: ReadonlyMap<string, number>;
  /** The keys of lists that it remembered, including those that it was given at its start. */
  keys: RequestDigest[];
  /** Children that it requested last: the server may have started them without the run knowing. */
  askedFor: string[];
}

/**
 * What a run held. A list that a client repeated is included once. A list without a key that repeats one of an earlier run
 * is included too, although its records are in a batch of that run.
 */
export async function heldByRun(client: Client, workflowId: string, runId: string): Promise<HeldByRun> {
  const held = new Map<string, HeldRecord>();
  const keys = new Map<string, RequestDigest>();
  const sizes = new Map<string, number>();
  const note = ({ size, ...record }: SizedRecord): void => {
    held.set(recordIdOf(record.requestId, record.index), record);
    sizes.set(record.requestId, Math.max(sizes.get(record.requestId) ?? 0, size));
  };
  /** Children that the run requested and doesn't know to have started, by the event of the request. */
  const starting = new Map<string, { childId: string; recordIds: string[] }>();
  const scheduled = new Map<string, string>();
  const taken: string[] = [];
  for await (const event of eventsOf(client, workflowId, runId)) {
    const started = event.workflowExecutionStartedEventAttributes;
    if (started != null) {
      const { carried } = inputOf(started, workflowId) as BatcherInput;
      for await (const record of recordsCarried(client, carried)) note(record);
      for (const digest of keysCarried(carried)) keys.set(digest.key, digest);
    }
    for (const request of requestsIn(event)) {
      const { digest } = request;
      if (digest !== undefined && keys.has(digest.key)) continue;
      if (digest !== undefined) keys.set(digest.key, digest);
      for (const record of recordsOf(request)) note(record);
    }
    const asked = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (asked?.workflowType?.name === WORKFLOW_TYPE.child)
      starting.set(String(event.eventId), {
        childId: asked.workflowId ?? '',
        recordIds: recordIdsOf(firstValue(asked.input) as ChildInput),
      });
    const child = event.childWorkflowExecutionStartedEventAttributes;
    if (child != null) {
      taken.push(...(starting.get(String(child.initiatedEventId))?.recordIds ?? []));
      starting.delete(String(child.initiatedEventId));
    }
    const refused = event.startChildWorkflowExecutionFailedEventAttributes;
    if (refused != null) starting.delete(String(refused.initiatedEventId));
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (activity !== undefined && activity !== null) scheduled.set(String(event.eventId), activity);
    const completed = event.activityTaskCompletedEventAttributes;
    const of = scheduled.get(String(completed?.scheduledEventId));
    // After a reset, children from before are adopted.
    if (of === READ_CHILD) taken.push(...idsOf(firstValue(completed?.result) as HeldByChild));
    if (of === FIND_LEFT)
      for (const digest of (firstValue(completed?.result) as LeftByBatcher).keys)
        keys.set(digest.key, digest);
  }
  for (const recordId of taken) held.delete(recordId);
  const askedFor = [...starting.values()].map(({ childId }) => childId);
  return { records: [...held.values()], sizes, keys: [...keys.values()], askedFor };
}

const READ_CHILD: keyof Activities = 'readChild';
const FIND_LEFT: keyof Activities = 'findLeft';

/** A held record, with the size of its request. */
interface SizedRecord extends HeldRecord {
  size: number;
}

/** The records that a child was started with; none if the server doesn't know it. */
export async function recordsOfChild(client: Client, childId: string): Promise<string[]> {
  const input = (await inputIfKnown(client, childId)) as ChildInput | undefined;
  return input === undefined ? [] : recordIdsOf(input);
}

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

async function* recordsCarried(
  client: Client,
  carried: CarriedState | undefined,
): AsyncGenerator<SizedRecord> {
  if (carried === undefined) return;
  yield* recordsInBuffer(carried.buffer);
  for (const { pageId } of carried.pages) yield* await sizedRecordsInPage(client, pageId);
  yield* recordsInBuffer(carried.tail);
}

function* keysCarried(carried: CarriedState | undefined): Generator<RequestDigest> {
  if (carried === undefined) return;
  for (const [scope, keys] of unpackKeys(carried.keys))
    for (const [key, { body, kind }] of keys) if (kind === KEY_KIND.list) yield { scope, key, body };
}

/** The requests that a message brought; none for other messages. */
function requestsIn(event: HistoryEvent): AcceptedRequest[] {
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal?.signalName === addRecordsSignal.name) return requestsFrom(signal.input);
  const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  return update?.name === takeUpdate.name ? requestsFrom(update.args) : [];
}

/** The records of a page of a buffer; none if the server no longer knows it. */
export async function recordsInPage(client: Client, pageId: string): Promise<HeldRecord[]> {
  return sizedRecordsInPage(client, pageId);
}

async function sizedRecordsInPage(client: Client, pageId: string): Promise<SizedRecord[]> {
  const content = (await inputIfKnown(client, pageId)) as PackedBuffer | undefined;
  return content === undefined ? [] : [...recordsInBuffer(content)];
}

function* recordsInBuffer({ runs }: PackedBuffer): Generator<SizedRecord> {
  for (const [requestId, size, , first, values] of runs) {
    for (const [i, value] of values.entries()) yield { requestId, index: first + i, value, size };
  }
}

/** Anyone may send anything, so requests that the batcher would not have accepted are skipped. */
function requestsFrom(payloads: Payloads): AcceptedRequest[] {
  const requests = firstValue(payloads);
  if (!Array.isArray(requests)) return [];
  return (requests as unknown[]).filter((request): request is AcceptedRequest => {
    if (!isObject(request)) return false;
    const { requestId, values, offset = 0 } = request;
    return typeof requestId === 'string' && Array.isArray(values) && typeof offset === 'number';
  });
}

function* recordsOf({ requestId, values, offset = 0 }: AcceptedRequest): Generator<SizedRecord> {
  const size = offset + values.length;
  for (const [i, value] of values.entries()) yield { requestId, index: offset + i, value, size };
}
