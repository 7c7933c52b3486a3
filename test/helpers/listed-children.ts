import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import type { ExecutionInfo } from '../../src/temporal/children/batch-facts';

/** A child with one batch of one record, as Temporal lists it. */
export function listedChild(batcher: string, requestId: string): ExecutionInfo {
  const typedSearchAttributes = {
    get: (key: unknown) => (key === SEARCH_ATTRIBUTES.batcher ? batcher : undefined),
  } as unknown as ExecutionInfo['typedSearchAttributes'];
  return {
    type: WORKFLOW_TYPE.child,
    workflowId: `${batcher}-00000001`,
    runId: `run of ${batcher}`,
    status: { name: 'RUNNING' } as ExecutionInfo['status'],
    typedSearchAttributes,
    startTime: new Date(0),
    memo: { requests: [[requestId, 1]], batches: [['size', [0]]] },
  };
}

/** A client to which Temporal lists these; `onList` is told of each listing. */
export function listingClient(listed: () => ExecutionInfo[], onList: () => void = () => undefined): Client {
  // eslint-disable-next-line @typescript-eslint/require-await -- as the SDK gives it
  async function* list() {
    onList();
    yield* listed();
  }
  const withDeadline = (_: unknown, call: () => unknown) => call();
  const options = { loadedDataConverter: { payloadCodecs: [] } };
  return { workflow: { list }, withDeadline, options } as unknown as Client;
}
