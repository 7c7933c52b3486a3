import { fnv1a } from '../../domain/fnv1a';
import { isRedriveId } from '../../domain/redrive';
import { isScopedId } from '../../domain/scope';

/** Names of the workflow types. Clients and tests start workflows by name, and never import workflow code. */
export const WORKFLOW_TYPE = {
  batcher: 'batcherWorkflow',
  child: 'batchesWorkflow',
  bufferPage: 'bufferPageWorkflow',
  audit: 'auditWorkflow',
} as const;

/** Workflow id of a shard's batcher, and prefix of its children's ids: `<BATCHER_ID>-<shard>`. */
export function batcherWorkflowId(batcherId: string, shard: number): string {
  return `${batcherId}-${shard}`;
}

/** Whether a workflow id is the id of a batcher with this `BATCHER_ID`, for any shard. */
export function isBatcherOf(batcherId: string, workflowId: string): boolean {
  return workflowId.startsWith(`${batcherId}-`) && /^\d+$/.test(workflowId.slice(batcherId.length + 1));
}

/** Workflow id of a page of a batcher's buffer: `<batcherId>-page-<seq>`, seq padded to 8 digits. */
export function bufferPageId(batcherId: string, seq: number): string {
  return `${batcherId}-page-${String(seq).padStart(8, '0')}`;
}

/** Workflow id of the audits of an installation, one run each: so there is at most one at a time. */
export function auditWorkflowId(batcherId: string): string {
  return `${batcherId}-audit`;
}

/**
 * The task queue of `adoptChild`, polled by every worker. An adoption occupies a slot of its worker until the child has
 * closed; on the task queue of the saves, adoptions could occupy all slots that the children need in order to close.
 */
export function adoptionTaskQueue(taskQueue: string): string {
  return `${taskQueue}-adoption`;
}

/**
 * The shard of a request, from 0: FNV-1a of the requestId, modulo the number of shards. All records of a request go to
 * one shard, so that a request is accepted completely or not at all. A change of the number of shards affects only later
 * requests.
 */
export function shardOf(requestId: string, shards: number): number {
  return fnv1a(requestId) % shards;
}

/**
 * Whether a client may choose this text as a request's id: up to 128 letters, digits, and `. _ : -`, starting with a
 * letter or digit. Ids are searched for by a search attribute, and its full-text index in SQLite rejects quotes and
 * ignores punctuation.
 */
export function isRequestId(text: string): boolean {
  return /^[A-Za-z0-9][\w.:-]{0,127}$/.test(text);
}

/**
 * Whether a request can have this id: an id that {@link isRequestId} allows, with or without the name of a client's API
 * key before it, or the id of a redrive, of at most 200 characters.
 */
export function isKnowableRequestId(text: string): boolean {
  if (isRedriveId(text)) return /^[\w.:~-]{1,200}$/.test(text);
  if (!isScopedId(text)) return isRequestId(text);
  const [client = '', key = '', ...more] = text.split('~');
  return more.length === 0 && /^[\w-]{1,32}$/.test(client) && isRequestId(key);
}
