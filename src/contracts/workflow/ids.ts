import { fnv1a } from '../../domain/fnv1a';
import { isRedriveId } from '../../domain/redrive';
import { isScopedId } from '../../domain/scope';

/** The registered workflow types; servers and tests start workflows by these names, never by importing their code. */
export const WORKFLOW_TYPE = {
  batcher: 'batcherWorkflow',
  child: 'batchesWorkflow',
  bufferPage: 'bufferPageWorkflow',
} as const;

/** `BATCHER_ID-<shard>`: the id of the entity workflow that owns a shard's buffer, and the prefix of its batches. */
export function batcherWorkflowId(batcherId: string, shard: number): string {
  return `${batcherId}-${shard}`;
}

/** Whether a workflow id is that of a batcher of this `BATCHER_ID`, of whichever shard. */
export function isBatcherOf(batcherId: string, workflowId: string): boolean {
  return workflowId.startsWith(`${batcherId}-`) && /^\d+$/.test(workflowId.slice(batcherId.length + 1));
}

/** `<batcherId>-page-<seq, 8 digits>`: the workflow that keeps a stretch of a batcher's buffer. */
export function bufferPageId(batcherId: string, seq: number): string {
  return `${batcherId}-page-${String(seq).padStart(8, '0')}`;
}

/**
 * Where batches are adopted: a task queue of its own, polled by every worker. An adoption holds its slot until the batch
 * has closed; on the queue of the saves, enough of them would hold every slot that the batches need to get there.
 */
export function adoptionTaskQueue(taskQueue: string): string {
  return `${taskQueue}-adoption`;
}

/**
 * The shard that a request belongs to: FNV-1a (32 bit) over the UTF-16 units of the requestId, modulo the number of
 * shards. A whole request goes to one shard, so that it is taken whole or not at all. Changing the number of shards
 * moves only later requests.
 */
export function shardOf(requestId: string, shards: number): number {
  return fnv1a(requestId) % shards;
}

/**
 * Whether a text can be a request's id: up to 128 letters, digits, and `. _ : -`, the first a letter or digit. Ids are
 * searched for by a search attribute, and the full-text index behind it in SQLite takes no quotes and sees no
 * punctuation.
 */
export function isRequestId(text: string): boolean {
  return /^[A-Za-z0-9][\w.:-]{0,127}$/.test(text);
}

/**
 * Whether a request can be known by this id: one that {@link isRequestId} allows, alone or behind the name of a client's
 * API key, or a redrive's, of at most 200.
 */
export function isKnowableRequestId(text: string): boolean {
  if (isRedriveId(text)) return /^[\w.:~-]{1,200}$/.test(text);
  if (!isScopedId(text)) return isRequestId(text);
  const [client = '', key = '', ...more] = text.split('~');
  return more.length === 0 && /^[\w-]{1,32}$/.test(client) && isRequestId(key);
}
