import type { Client } from '@temporalio/client';
import { isBatcherOf } from '../../src/contracts/workflow/ids';
import type { BatchSummary } from '../../src/contracts/api/answers/batches';
import { createBatchList } from '../../src/temporal/children/batch-pages';
import type { BatchReader } from '../../src/temporal/children/batch-reader';
import { createDeadLetterReader } from '../../src/temporal/dead-letters/dead-letters';
import { createKnownRedrives } from '../../src/temporal/dead-letters/known-redrives';
import type { Shards } from '../../src/temporal/shard/shards';
import { writeCursor } from '../../src/temporal/children/batch-cursor';
import { readBatch } from '../../src/temporal/views/batch-views';
import { readRequest, type Places } from '../../src/temporal/views/request-view';
import { listedChild, listingClient } from '../helpers/listed-children';

/* Two deployments in one namespace: each sees its own batches alone, whatever ids their clients chose. */
const isOwn = (batcher: string) => isBatcherOf('own', batcher);
const NO_TRACE = { size: null, bufferedIndexes: [], inFlightChildIds: [], pageIds: [] };

const shards = {
  address: { batcherId: 'own' },
  all: () => Promise.resolve([{ known: () => Promise.resolve([]) }]),
  trace: () => Promise.resolve(NO_TRACE),
} as unknown as Shards;

/** A reader of batches that knows one, which has completed. */
function readerOf(batcher: string) {
  const summary = {
    batchId: `${batcher}-00000001`,
    batcher,
    state: 'completed',
    runId: 'run',
  } as BatchSummary;
  const asked: string[] = [];
  const reader = {
    facts: () => Promise.resolve({ summary, requestSizes: new Map(), pending: [] }),
    result(run: { batchId: string }) {
      asked.push(run.batchId);
      return Promise.resolve({ location: 'file', outcomes: [{ recordId: 'r:0', outcome: 'rolled_back' }] });
    },
    input(run: { batchId: string }) {
      asked.push(run.batchId);
      return Promise.reject(new Error('nobody should ask'));
    },
  } as unknown as BatchReader;
  return { reader, asked };
}

test.each(['other-0', 'own-1-0', 'owner-0', 'own-x'])(
  'Dead letters of a batch of %s, which is none of ours, are not read, and so never sent again.',
  async (batcher) => {
    const { reader, asked } = readerOf(batcher);
    const letters = createDeadLetterReader(() => Promise.reject(new Error('not listed')), isOwn, reader);
    expect(await letters.ofBatch(`${batcher}-00000001`)).toEqual([]);
    expect(asked).toEqual([]);
  },
);

test('Dead letters of a batch of ours are read, whichever shard had it.', async () => {
  const { reader } = readerOf('own-12');
  const letters = createDeadLetterReader(() => Promise.reject(new Error('not listed')), isOwn, reader);
  expect(await letters.ofBatch('own-12-00000001')).toMatchObject([{ recordId: 'r:0', file: 'file' }]);
});

test('A batch of another deployment is not shown.', async () => {
  const { reader, asked } = readerOf('other-0');
  expect(await readBatch(reader, isOwn, 'other-0-00000001')).toBeUndefined();
  expect(asked).toEqual([]);
});

test('Only what this deployment sent again counts as sent again.', async () => {
  const letters = [{ recordId: 'r:0', redriveId: 'redrive-1.r:0', atMs: 0 }] as never[];
  const among = (batcher: string) => {
    const client = listingClient(() => [listedChild(batcher, 'redrive-1.r:0')]);
    return createKnownRedrives(client, shards, () => Promise.resolve(new Map())).among(letters);
  };
  expect([...(await among('other-0'))]).toEqual([]);
  expect([...(await among('own-0'))]).toEqual(['redrive-1.r:0']);
});

test('A request that another deployment took under the same key is not shown.', async () => {
  const placesWith = (batcher: string): Places => ({
    client: listingClient(() => [listedChild(batcher, 'key')]),
    shards,
    batches: {
      factsIn: () => Promise.resolve([]),
      input: () => Promise.resolve({ batch: { records: [{ recordId: 'key:0', value: 1 }] } }),
    } as unknown as BatchReader,
    pages: () => Promise.resolve(new Map()),
  });
  expect(await readRequest(placesWith('other-0'), 'key')).toBeUndefined();
  expect(await readRequest(placesWith('own-0'), 'key')).toMatchObject({ counts: { in_batch: 1 } });
});

test('Batches are listed of the shards of this deployment alone.', async () => {
  const queries: string[] = [];
  const workflowService = {
    listWorkflowExecutions({ query }: { query: string }) {
      queries.push(query);
      return Promise.resolve({ executions: [], nextPageToken: new Uint8Array() });
    },
  };
  const withDeadline = (_: unknown, call: () => unknown) => call();
  const client = {
    workflowService,
    withDeadline,
    options: { namespace: 'n', loadedDataConverter: { payloadCodecs: [] } },
  } as unknown as Client;
  await createBatchList(client, `it's own`)([], { limit: 10 });
  expect(queries).toHaveLength(1);
  const [, batchers = ''] = /KeepapartBatcher IN \((.*?)\)/.exec(String(queries[0])) ?? [];
  expect(batchers.split(', ').slice(0, 2)).toEqual([String.raw`'it\'s own-0'`, String.raw`'it\'s own-1'`]);
  expect(batchers.split(', ')).toHaveLength(64);
});

test('A cursor that names a batch of another deployment lists nothing of it.', async () => {
  const list = (batcher: string) => {
    const describe = () => Promise.resolve(withTwoBatches(batcher));
    const withDeadline = (_: unknown, call: () => unknown) => call();
    const client = { workflow: { getHandle: () => ({ describe }) }, withDeadline } as unknown as Client;
    const after = { batchId: `${batcher}-00000001.001`, runId: '0'.repeat(36) };
    return createBatchList(client, 'own')([], { limit: 10, cursor: writeCursor({ token: null, after }) });
  };
  expect((await list('own-0')).batches.map(({ batchId }) => batchId)).toEqual(['own-0-00000001.002']);
  expect((await list('other-0')).batches).toEqual([]);
});

function withTwoBatches(batcher: string) {
  const child = listedChild(batcher, 'r');
  return {
    ...child,
    memo: {
      requests: [['r', 2]],
      batches: [
        ['size', [0]],
        ['size', [0]],
      ],
    },
  };
}
