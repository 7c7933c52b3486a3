import type { RequestTrace } from '../../src/contracts/workflow/batcher';
import type { BatchReader } from '../../src/temporal/children/batch-reader';
import type { Shards } from '../../src/temporal/shard/shards';
import { readRequest, type Places } from '../../src/temporal/views/request-view';
import { listedChild, listingClient } from '../helpers/listed-children';

test('A record that leaves the buffer for a batch while it is looked for is found at the first look.', async () => {
  let inBatch = false;
  let looks = 0;
  /** After whichever place was asked first, it has moved on. */
  const moveOn = <T>(answer: T): T => {
    inBatch = true;
    return answer;
  };
  const buffered: RequestTrace = { size: 1, bufferedIndexes: [0], inFlightChildIds: [], pageIds: [] };
  const gone: RequestTrace = { ...buffered, size: null, bufferedIndexes: [] };
  const places: Places = {
    client: listingClient(
      () => moveOn(inBatch ? [listedChild('own-0', 'r')] : []),
      () => looks++,
    ),
    shards: {
      address: { batcherId: 'own' },
      trace: () => Promise.resolve(moveOn(inBatch ? gone : buffered)),
    } as unknown as Shards,
    batches: {
      factsIn: () => Promise.resolve([]),
      input: () => Promise.resolve({ batch: { records: [{ recordId: 'r:0', value: 1 }] } }),
    } as unknown as BatchReader,
    pages: () => Promise.resolve(new Map()),
  };
  expect(await readRequest(places, 'r')).toMatchObject({ records: [{ recordId: 'r:0', state: 'in_batch' }] });
  expect(looks).toBe(1);
});
