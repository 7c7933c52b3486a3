import type { Client } from '@temporalio/client';
import type {
  Activities,
  HeldByChild,
  LeftByBatcher,
  StartedBefore,
} from '../../contracts/workflow/activities';
import {
  addRecordsSignal,
  layoutUpdate,
  takeUpdate,
  type AcceptedRequest,
  type BatcherInput,
  type CarriedState,
} from '../../contracts/workflow/batcher';
import type { ChildInput } from '../../contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { isLayout, isOrigin, requestsFrom } from '../../contracts/workflow/message-checks';
import { childSeqOf } from '../../domain/records/batch';
import {
  addEarlierMemory,
  isNewRequest,
  isOutdated,
  unpackMemory,
  type BatcherMemory,
} from '../../domain/windows/batcher-memory';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { SECOND } from '../../domain/duration';
import type { JsonValue } from '../../domain/json';
import type { KeyWindowPolicy } from '../../domain/windows/key-window';
import { adoptLayout, type Layout } from '../../domain/windows/layout';
import { recordIdOf } from '../../domain/records/record';
import { noteMessage, type MessageOrigin } from '../../domain/windows/sender-window';
import { eventsOf, inputIfKnown, inputOf, valueAt, type HistoryEvent } from '../server/history';

/** A record as a client sent it. */
export interface HeldRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

/** What a run of a batcher held and knew when it ended. */
export interface HeldByRun {
  /** What had reached it, from the previous run (including its pages) or in messages, and was in no batch. */
  records: HeldRecord[];
  /** The sizes of the requests of these records; for streams, as far as they had arrived. */
  sizes: ReadonlyMap<string, number>;
  /** What it remembered, also of what it was told when it began. */
  memory: BatcherMemory;
  /** Above the number of every child that it asked for. */
  nextChildSeq: number;
  /** Children that it asked for last: the server may have started them since, though the run never heard. */
  askedFor: string[];
}

/** What a run held: what it took, by the same rules as the batcher itself, and has put in no batch. */
export async function heldByRun(client: Client, workflowId: string, runId: string): Promise<HeldByRun> {
  const held = new Map<string, HeldRecord>();
  const sizes = new Map<string, number>();
  const note = ({ size, ...record }: SizedRecord): void => {
    held.set(recordIdOf(record.requestId, record.index), record);
    sizes.set(record.requestId, Math.max(sizes.get(record.requestId) ?? 0, size));
  };
  let memory = unpackMemory(undefined);
  let policy: KeyWindowPolicy = { idempotencyWindowMs: Infinity, idempotencyWindowKeys: Infinity };
  let nextChildSeq = 1;
  /** Children of which the run hasn't heard that they started, by the event that asks for them. */
  const starting = new Map<string, { childId: string; recordIds: string[] }>();
  const scheduled = new Map<string, string>();
  const taken: string[] = [];
  for await (const event of eventsOf(client, workflowId, runId)) {
    const nowMs = timeOf(event);
    const started = event.workflowExecutionStartedEventAttributes;
    if (started != null) {
      const { carried, settings } = (await inputOf(client, started, workflowId)) as BatcherInput;
      for await (const record of recordsCarried(client, carried)) note(record);
      memory = unpackMemory(carried);
      policy = settings;
      nextChildSeq = carried?.nextChildSeq ?? 1;
    }
    const message = await messageIn(client, event);
    if (
      message !== undefined &&
      (message.origin === undefined || noteMessage(memory.senders, message.origin))
    )
      for (const request of message.requests) {
        if (isOutdated(memory, request) || !isNewRequest(memory, request, policy, nowMs)) continue;
        for (const record of recordsOf(request)) note(record);
      }
    const layout = await layoutIn(client, event);
    if (layout !== undefined)
      memory.layout = adoptLayout(memory.layout, layout, policy.idempotencyWindowMs, nowMs);
    const asked = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (asked?.workflowType?.name === WORKFLOW_TYPE.child) {
      const childId = asked.workflowId ?? '';
      nextChildSeq = Math.max(nextChildSeq, childSeqOf(childId) + 1);
      starting.set(String(event.eventId), {
        childId,
        recordIds: recordIdsOf((await valueAt(client, asked.input)) as ChildInput),
      });
    }
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
    // After a reset children of before are adopted.
    if (of === READ_CHILD) taken.push(...idsOf((await valueAt(client, completed?.result)) as HeldByChild));
    if (of === FIND_STARTED) {
      const { children } = (await valueAt(client, completed?.result)) as StartedBefore;
      for (const { childId, held: found } of children) {
        taken.push(...idsOf(found));
        nextChildSeq = Math.max(nextChildSeq, childSeqOf(childId) + 1);
      }
    }
    if (of === FIND_LEFT) {
      const { before } = (await valueAt(client, completed?.result)) as LeftByBatcher;
      if (before !== undefined) {
        addEarlierMemory(memory, unpackMemory(before.memory), policy, nowMs);
        nextChildSeq = Math.max(nextChildSeq, before.nextChildSeq);
      }
    }
  }
  for (const recordId of taken) held.delete(recordId);
  const askedFor = [...starting.values()].map(({ childId }) => childId);
  return { records: [...held.values()], sizes, memory, nextChildSeq, askedFor };
}

const READ_CHILD: keyof Activities = 'readChild';
const FIND_STARTED: keyof Activities = 'findStarted';
export const FIND_LEFT: keyof Activities = 'findLeft';

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

interface Message {
  requests: AcceptedRequest[];
  origin: MessageOrigin | undefined;
}

/** What a message brought; nothing where it is none of ours, as the batcher takes nothing of it either. */
async function messageIn(client: Client, event: HistoryEvent): Promise<Message | undefined> {
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal?.signalName === addRecordsSignal.name) return messageFrom(client, signal.input);
  const update = updateIn(event);
  return update?.name === takeUpdate.name ? messageFrom(client, update.args) : undefined;
}

async function messageFrom(
  client: Client,
  payloads: Parameters<typeof valueAt>[1],
): Promise<Message | undefined> {
  const requests = requestsFrom(await valueAt(client, payloads));
  const origin = await valueAt(client, payloads, 1);
  return requests && { requests, origin: isOrigin(origin) ? origin : undefined };
}

async function layoutIn(client: Client, event: HistoryEvent): Promise<Layout | undefined> {
  const update = updateIn(event);
  const layout = update?.name === layoutUpdate.name ? await valueAt(client, update.args) : undefined;
  return isLayout(layout) ? layout : undefined;
}

/** An update that was accepted; of a run that begins with a reset, one that the run before it had accepted. */
function updateIn(event: HistoryEvent) {
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
  return (accepted ?? event.workflowExecutionUpdateAdmittedEventAttributes?.request)?.input;
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

function* recordsOf({ requestId, values, offset = 0 }: AcceptedRequest): Generator<SizedRecord> {
  const size = offset + values.length;
  for (const [i, value] of values.entries()) yield { requestId, index: offset + i, value, size };
}

function timeOf({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? 0) * SECOND;
}
