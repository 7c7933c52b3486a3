import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { mapAtOnce } from '../server/at-once';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { HOLDS_BATCHES, literal } from './batch-queries';

const LOOKS_AT_ONCE = 8;

/**
 * The children of a batcher that have not completed: running ones, and those that closed in any other way and were not
 * settled. A listing may lag by some seconds, so each is described.
 */
export async function unfinishedChildren(client: Client, batcher: string): Promise<string[]> {
  const query = `${HOLDS_BATCHES} AND ${SEARCH_ATTRIBUTES.batcher.name} = ${literal(batcher)} AND ExecutionStatus != 'Completed'`;
  const listed = new Set<string>();
  await callTemporal(client, `could not list the batches of ${batcher}`, async () => {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) listed.add(workflowId);
  });
  const children = await mapAtOnce([...listed], LOOKS_AT_ONCE, (childId) => describeIfKnown(client, childId));
  return [...listed]
    .filter((_, i) => children[i] !== undefined && children[i].status.name !== 'COMPLETED')
    .sort();
}
