import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes';
import { mapAtOnce } from '../server/at-once';
import { callTemporal } from '../server/calls';
import { HOLDS_BATCHES, literal } from './batch-queries';

const LOOKS_AT_ONCE = 8;

/**
 * The children of a batcher that have not completed: those that run, and those that closed in any other way and that
 * nobody has settled. What a listing says may be some seconds old, so each is looked at.
 */
export async function unfinishedChildren(client: Client, batcher: string): Promise<string[]> {
  const query = `${HOLDS_BATCHES} AND ${SEARCH_ATTRIBUTES.batcher.name} = ${literal(batcher)} AND ExecutionStatus != 'Completed'`;
  const listed = new Set<string>();
  await callTemporal(client, `could not list the batches of ${batcher}`, async () => {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) listed.add(workflowId);
  });
  const unfinished = await mapAtOnce([...listed], LOOKS_AT_ONCE, (childId) => isUnfinished(client, childId));
  return [...listed].filter((_, i) => unfinished[i]).sort();
}

async function isUnfinished(client: Client, childId: string): Promise<boolean> {
  try {
    const { status } = await callTemporal(client, `could not ask for ${childId}`, () =>
      client.workflow.getHandle(childId).describe(),
    );
    return status.name !== 'COMPLETED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
