import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { takenInSignal } from '../../contracts/workflow/buffer-page';
import type { AcceptedRequest, OperatorAction } from '../../contracts/workflow/batcher';
import { WORKFLOW_TYPE, isBatcherOf } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import type { BatcherMemory } from '../../domain/windows/batcher-memory';
import { KIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { jsonBytes, type JsonValue } from '../../domain/json';
import { groupBy } from '../../domain/group-by';
import { portions } from '../../domain/portions';
import { KEY_KIND } from '../../domain/windows/key-window';
import { recordIdOf } from '../../domain/records/record';
import { packBatch } from '../../domain/records/packed-batch';
import { listAllBatches } from '../children/all-batches';
import { createBatchList } from '../children/batch-pages';
import { literal } from '../children/batch-queries';
import { createBatchReader } from '../children/batch-reader';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { eventsOf } from '../server/history';
import type { Shard } from '../shard/shard';
import type { Shards } from '../shard/shards';
import { whenThereIsRoom } from '../shard/when-there-is-room';
import { createPageReader } from '../views/page-reader';
import { findWaiting } from '../views/waiting-records';
import { heldByRun, recordsInPage, recordsOfChild, type HeldRecord } from './held-by-run';

/** What was found, and what was done about it. */
export interface RescueReport {
  /** Batchers whose run no worker can continue; `reset` restarts them with what they were started with. */
  stuck: { batcher: string; runId: string; failedTasks: number }[];
  /** Runs of batchers that ended without handing over, and how many records each had in no batch. */
  ended: { batcher: string; runId: string; status: string; records: number }[];
  /** Pages of a buffer that no batcher knows any more, and how many records each holds. */
  orphanPages: { pageId: string; records: number }[];
  /** Records of all these that are in no batch and in no buffer. */
  lost: number;
  /** Whether that has been repaired: stuck runs reset, lost records buffered again. */
  done: boolean;
}

export interface RescueOptions {
  /** Repairs what is found, in this person's name; without it nothing is changed. */
  apply?: { by: string };
  onProgress?: (message: string) => void;
}

/** A run whose task fails this often in a row, which takes some 20 s, is stuck rather than between two workers. */
const STUCK_AFTER_TASKS = 3;

const SECOND_LOOK_MS = 2 * SECOND;

/** What one message to a batcher may hold; a single record may be larger. */
const MAX_GROUP = { items: 500, bytes: 256 * KIB } as const;

/**
 * Finds acknowledged records that are out of reach, and buffers them again, each once (G3, G4):
 *
 * - A batcher whose run can't be replayed is reset to its first task: the server gives the new run what the old one was
 *   started with and every message since, and it adopts the batches of the old one.
 * - If somebody terminated a run or the server ended it, or if no batcher knows a page, their records that are in no batch
 *   and in no buffer are sent to the batcher of their shard under their own ids. The keys that such a run remembered are
 *   passed to the next run, so that a list or a stream that a client repeats is not accepted again.
 *
 * Needs a worker. Repeating it, also after it was interrupted, finds what is left.
 * @throws `temporal-unavailable` if a batcher doesn't answer, because what it holds would be buffered twice
 */
export async function rescue(
  client: Client,
  shards: Shards,
  { apply, onProgress = () => undefined }: RescueOptions = {},
): Promise<RescueReport> {
  const stuck = await findStuck(client, shards);
  if (stuck.length > 0) {
    // Until a restarted run has adopted its batches, much of what it holds can't be found anywhere.
    if (apply !== undefined) for (const run of stuck) await resetToStart(client, run);
    return { stuck, ended: [], orphanPages: [], lost: 0, done: apply !== undefined };
  }
  const held = new Map<string, HeldRecord>();
  const note = (records: readonly HeldRecord[]): number => {
    for (const record of records)
      held.set(identityOf(recordIdOf(record.requestId, record.index), record.value), record);
    return records.length;
  };
  const ended: RescueReport['ended'] = [];
  const known = new Map<string, BatcherMemory[]>();
  const askedFor: string[] = [];
  for (const { workflowId: batcher, runId, status } of await endedRuns(client, shards)) {
    onProgress(`reading ${batcher}, run ${runId}`);
    const { records, memory, askedFor: children } = await heldByRun(client, batcher, runId);
    askedFor.push(...children);
    ended.push({ batcher, runId, status: status.name.toLowerCase(), records: note(records) });
    known.set(batcher, [...(known.get(batcher) ?? []), memory]);
  }
  const orphanPages: RescueReport['orphanPages'] = [];
  for (const pageId of await unknownPages(client, await shards.all())) {
    onProgress(`reading ${pageId}`);
    orphanPages.push({ pageId, records: note(await recordsInPage(client, pageId)) });
  }
  await leaveOutKnown(client, shards, held, askedFor, onProgress);
  if (held.size > 0 && apply !== undefined) {
    // A record that is about to enter a batch is in neither place for a moment.
    await sleep(SECOND_LOOK_MS);
    await leaveOutKnown(client, shards, held, askedFor, onProgress);
  }
  const lost = [...held.values()];
  if (apply !== undefined) {
    const action = { by: apply.by, atMs: Date.now() };
    // The keys first, so that a client that repeats its list meanwhile learns that it was accepted.
    for (const [batcher, memories] of known) {
      const open = (await shards.all()).filter((shard) => shard.batcher === batcher);
      // A digest doesn't show which shard its key belongs to now. Any shard that knows it refuses it.
      const heirs = open.length > 0 ? open : shards.configured();
      for (const shard of heirs) await rememberKeys(shard, memories, action);
    }
    await takeIn(lost, shards, action, onProgress);
    for (const { pageId } of orphanPages) await letGo(client, pageId);
  }
  return { stuck, ended, orphanPages, lost: lost.length, done: apply !== undefined };
}

/** Makes a batcher remember keys of lists, and streams; those it knows already stay as they are. */
async function rememberKeys(
  shard: Shard,
  memories: readonly BatcherMemory[],
  action: OperatorAction,
): Promise<void> {
  const told = new Map<string, AcceptedRequest>();
  for (const { keys, streams } of memories) {
    for (const [scope, share] of keys)
      for (const [key, { body, kind }] of share)
        if (kind === KEY_KIND.list) told.set(key, { ...NOTHING, digest: { scope, key, body } });
    for (const [key, { scope, taken, digest: after, complete }] of streams)
      told.set(key, { ...NOTHING, offset: taken, part: { scope, key, before: '', after, complete } });
  }
  for (const group of portions([...told.values()], { items: MAX_GROUP.items }))
    await shard.redrive(group, action);
}

const NOTHING: AcceptedRequest = { requestId: 'rescue', values: [] };

async function takeIn(
  records: readonly HeldRecord[],
  shards: Shards,
  action: OperatorAction,
  onProgress: (message: string) => void,
): Promise<void> {
  let taken = 0;
  for (const group of messagesOf(records, shards)) {
    await whenThereIsRoom(
      () => group.shard.redrive(group.requests, action),
      () => true,
    );
    taken += group.records;
    onProgress(`${taken} of ${records.length} records buffered again`);
  }
}

/** Equal values under one id are one record. A key that was forgotten and used again has other values. */
function identityOf(recordId: string, value: JsonValue): string {
  return `${recordId} ${JSON.stringify(value)}`;
}

async function findStuck(client: Client, shards: Shards): Promise<RescueReport['stuck']> {
  const stuck: RescueReport['stuck'] = [];
  for (const { batcher } of await shards.all()) {
    const run = await describeIfKnown(client, batcher);
    const failedTasks = (run?.raw.pendingWorkflowTask?.attempt ?? 1) - 1;
    if (run?.status.name === 'RUNNING' && failedTasks >= STUCK_AFTER_TASKS)
      stuck.push({ batcher, runId: run.runId, failedTasks });
  }
  return stuck;
}

async function resetToStart(
  client: Client,
  { batcher, runId }: RescueReport['stuck'][number],
): Promise<void> {
  const firstTask = await firstTaskOf(client, batcher, runId);
  await callTemporal(client, `could not reset ${batcher}`, () =>
    client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: batcher, runId },
      reason: 'keepapart rescue: no worker could continue the run',
      requestId: `keepapart rescue of ${runId}`,
      workflowTaskFinishEventId: firstTask,
    }),
  );
}

async function firstTaskOf(client: Client, batcher: string, runId: string) {
  for await (const event of eventsOf(client, batcher, runId))
    if (event.workflowTaskCompletedEventAttributes != null && event.eventId != null) return event.eventId;
  throw new KeepapartError(
    'temporal-unavailable',
    `The run ${runId} of ${batcher} has never completed a task: deploy a build that can run it`,
  );
}

/** Runs of batchers that ended without handing over, within the namespace's retention period; oldest first. */
async function endedRuns(client: Client, { address }: Shards): Promise<WorkflowExecutionInfo[]> {
  const query =
    `WorkflowType = ${literal(WORKFLOW_TYPE.batcher)} AND ` +
    "ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut', 'Canceled')";
  const runs: WorkflowExecutionInfo[] = [];
  await callTemporal(client, 'could not list the runs of batchers', async () => {
    for await (const run of client.workflow.list({ query, pageSize: 500 }))
      if (isBatcherOf(address.batcherId, run.workflowId)) runs.push(run);
  });
  return runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
}

/** Open pages of these batchers that are in none of their buffers. */
async function unknownPages(client: Client, open: readonly Shard[]): Promise<string[]> {
  const unknown: string[] = [];
  for (const shard of open) {
    const query =
      `WorkflowType = ${literal(WORKFLOW_TYPE.bufferPage)} AND ` +
      `${SEARCH_ATTRIBUTES.batcher.name} = ${literal(shard.batcher)} AND ExecutionStatus = 'Running'`;
    const listed: string[] = [];
    await callTemporal(client, `could not list the pages of ${shard.batcher}`, async () => {
      for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 }))
        listed.push(workflowId);
    });
    if (listed.length === 0) continue;
    // Asked after the listing, so that a page that was just created is known by now.
    const known = new Set((await shard.trace('')).pageIds);
    unknown.push(...listed.filter((pageId) => !known.has(pageId)));
  }
  return unknown;
}

/**
 * Leaves out records that are buffered or in flight, and those in a batch, in any state.
 * @param askedFor children that may have started; read by id, because a listing may lag by some seconds
 */
async function leaveOutKnown(
  client: Client,
  shards: Shards,
  held: Map<string, HeldRecord>,
  askedFor: readonly string[],
  onProgress: (message: string) => void,
): Promise<void> {
  if (held.size === 0) return;
  const started = new Set(
    (await Promise.all(askedFor.map((childId) => recordsOfChild(client, childId)))).flat(),
  );
  for (const [key, { requestId, index }] of held)
    if (started.has(recordIdOf(requestId, index))) held.delete(key);
  onProgress('asking the batchers what they hold');
  const reader = createBatchReader(client);
  const places = { shards, batches: reader, pages: createPageReader(client) };
  const recordIds = [...held.values()].map(({ requestId, index }) => recordIdOf(requestId, index));
  // The batchers before the batches: a record that leaves a buffer meanwhile is found twice rather than not at all.
  const waiting = await findWaiting(places, recordIds, []);
  if (waiting.silentBatchers.length > 0)
    throw new KeepapartError(
      'temporal-unavailable',
      `${waiting.silentBatchers.join(', ')} did not answer, so what they hold is unknown. Is a worker running?`,
    );
  for (const [key, { requestId, index }] of held)
    if (waiting.recordIds.has(recordIdOf(requestId, index))) held.delete(key);

  const wanted = new Set([...held.values()].map(({ requestId }) => requestId));
  const batches = await listAllBatches(createBatchList(client, shards.address.batcherId), {
    isWanted: ({ requestIds }) => requestIds.some((requestId) => wanted.has(requestId)),
  });
  for (const run of batches.values()) {
    onProgress(`reading batch ${run.batchId}`);
    const { batch } = await reader.input(run);
    for (const { recordId, value } of batch.records) held.delete(identityOf(recordId, value));
  }
}

interface Group {
  shard: Shard;
  requests: AcceptedRequest[];
  records: number;
}

/** Consecutive records of a request as one, in messages of bounded size, each for one shard. */
function messagesOf(records: readonly HeldRecord[], shards: Shards): Group[] {
  const byShard = groupBy(records, ({ requestId }) => shards.of(requestId));
  return [...byShard].flatMap(([shard, own]) =>
    portions(own, MAX_GROUP, ({ value }) => jsonBytes(value)).map((group) => ({
      shard,
      requests: requestsOf(group),
      records: group.length,
    })),
  );
}

function requestsOf(records: readonly HeldRecord[]): AcceptedRequest[] {
  return packBatch(records).map(([requestId, offset, values]) => ({ requestId, values, offset }));
}

async function letGo(client: Client, pageId: string): Promise<void> {
  await callTemporal(client, `could not let ${pageId} go`, () =>
    client.workflow.getHandle(pageId).signal(takenInSignal),
  );
}
