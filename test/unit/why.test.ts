import type { StatusView, WaitsView, WorkersView } from '../../src/client';
import { renderFound } from '../../src/cli/commands/find-command';
import { renderWhy } from '../../src/cli/commands/why-command';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { statusWith } from '../ui/status';

const WORKERS: WorkersView = new FakeBatcherClient().workersView;
const STATUS: StatusView = statusWith({
  bufferedRecords: 812,
  oldestDueAgeMs: 90_000,
  inFlight: 50,
  inFlightRecords: 250,
  counters: { saved: 3000, rolledBack: 1, retries: 1 },
});
const WAITS: WaitsView = {
  shards: [
    {
      ...{ shard: 0, batcher: 'batcher-0', bufferedRecords: 812 },
      waits: [{ for: 'slot', text: 'a batch to close', records: 812 }],
      rules: [{ rule: { pair: [1, 2] }, records: 40 }],
    },
  ],
};

test('`why` says one sentence first, then what is waited for, the rules, and the figures.', () => {
  const sentence = { head: 'Held up', text: '812 records wait for a slot' };
  const lines = renderWhy({ sentence, status: STATUS, waits: WAITS, workers: WORKERS }).split('\n');
  expect(lines[0]).toBe('Held up: 812 records wait for a slot.');
  expect(lines).toEqual(
    expect.arrayContaining([
      '    812  a batch to close',
      '     40  {"pair":[1,2]}',
      'buffered   812 records, oldest due for 90 s',
      'in flight  50 of 50 batches, 250 records',
      'so far     3,000 saved, 1 rolled back, 1 retry',
      'workers    1 (17@host); 3 tasks waiting for one',
    ]),
  );
});

test('`why` leaves out figures that nobody knows, and nothing in it moves the terminal.', () => {
  const workers = { ...WORKERS, isServed: false, workers: [], taskQueues: [] };
  const sentence = { head: 'No worker', text: 'nobody polls \u001b[2Jkeepapart' };
  expect(renderWhy({ sentence, status: null, waits: null, workers })).toBe(
    'No worker: nobody polls  [2Jkeepapart.\n\nworkers    none; 0 tasks waiting for one\n',
  );
});

test('`find` says what has an id, with its request, and that nothing has it otherwise.', () => {
  const counts = { buffered: 1, in_batch: 0, saved: 1, rolled_back: 0 };
  const request = { requestId: 'order-1', redriveOf: null, records: 2, counts };
  const waitsFor = { for: 'slot' as const, text: 'a batch to close' };
  const record = { recordId: 'order-1:1', state: 'buffered' as const, waitsFor };
  expect(renderFound({ query: 'order-1:1', found: [{ kind: 'record', record, request }] })).toBe(
    [
      'record   order-1:1: buffered',
      'waits    for a batch to close',
      'request  order-1: 2 records (1 buffered, 1 saved)\n',
    ].join('\n'),
  );
  expect(renderFound({ query: 'x', found: [] })).toMatch(/^Nothing is known as x: /);
});
