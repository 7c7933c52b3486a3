import type { Client } from '@temporalio/client';
import { storedIdsOf } from '../codec/data-converter';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { MORE_REQUEST_IDS, SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';

/** A string literal of a visibility query. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Selects children. */
export const HOLDS_BATCHES = `WorkflowType = ${literal(WORKFLOW_TYPE.child)}`;

/** Selects the children that hold, or may hold, records of a request. */
export function batchesOfRequest(client: Client, requestId: string): string {
  return `${HOLDS_BATCHES} AND ${holdingAnyOf(client, [requestId])}`;
}

/** The condition that a workflow holds, or may hold, records of these requests; see `indexedRequestIds`. */
export function holdingAnyOf(client: Client, requestIds: readonly string[]): string {
  const stored = requestIds.flatMap((requestId) => storedIdsOf(client, requestId));
  const ids = [...stored, MORE_REQUEST_IDS].map(literal).join(', ');
  return `${SEARCH_ATTRIBUTES.requestIds.name} IN (${ids})`;
}
