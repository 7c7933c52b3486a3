import { bufferPageId } from '../../src/contracts/workflow/ids';
import { childOf, eventsOf } from '../helpers/histories';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What anybody can send to a batcher with Temporal's own tools: it must not stop, and it counts what it ignores. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const batcher = () => pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId);

/** Each a list of arguments. */
const GARBAGE: unknown[][] = [
  [],
  [null],
  [7],
  ['text'],
  [[]],
  [{}],
  [[null]],
  [[{}]],
  [[[]]],
  [{ by: {} }, 1, 2],
];

/** Those that `addRecords` has to take for what they are: a message with no requests. */
const NO_REQUESTS = '[[]]';

const REQUESTS: unknown[] = [
  { requestId: 7, values: [1] },
  { requestId: 'r' },
  { requestId: 'r', values: 'none' },
  { requestId: 'r', values: [1], digest: 'text' },
  { requestId: 'r', values: [1], digest: { key: 'k' } },
  { requestId: 'r', values: [1], offset: -1 },
  { requestId: 'r', values: [1], offset: 0.5 },
  { requestId: 'r', values: [1], part: { key: 'k', before: '', after: '', complete: true } },
  { requestId: 'r', values: [1], offset: 0, part: { key: 'k' } },
  { requestId: '', values: [1] },
  { requestId: `it's "odd" ☹`, values: [1] },
  { requestId: 'r'.repeat(40_000), values: [1] },
];

async function noTaskFailed(workflowId = pipeline.batcherWorkflowId): Promise<void> {
  const events = await eventsOf(pipeline, workflowId);
  expect(events.flatMap((event) => event.workflowTaskFailedEventAttributes ?? [])).toEqual([]);
}

test('Records, settings and progress that are none change nothing and are counted; everything else goes on (G3, G6).', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 20 } });
  await pipeline.send(['before']);
  let sent = 0;
  const send = async (name: string, args: readonly unknown[]) => {
    await batcher().signal(name, ...args);
    sent++;
  };
  for (const args of GARBAGE) {
    if (JSON.stringify(args) !== NO_REQUESTS) await send('addRecords', args);
    await send('configure', args);
    await send('childProgress', args);
  }
  for (const one of REQUESTS) await send('addRecords', [[{ requestId: 'good', values: ['not this'] }, one]]);
  const { settings } = await pipeline.status();
  for (const [name, value] of Object.entries({
    maxBatchSize: 0,
    conflicts: 'none',
    apartMs: null,
    onFailure: 5,
  }))
    await send('configure', [
      { ...settings, [name]: value },
      { by: 'test', atMs: 1 },
    ]);
  for (const progress of [{ batches: 1 }, { batches: -1, saved: 0, rolledBack: 0, retries: 0, waits: false }])
    await send('childProgress', ['test-00000001', progress]);

  await pipeline.send(['after']);
  const { counters, settings: inForce } = await pipeline.quiet();
  expect(counters).toMatchObject({ malformedMessages: sent, accepted: 2, saved: 2, batchesFailed: 0 });
  expect(inForce).toEqual(settings);
  expect(savedValues(pipeline.store)).toEqual(['after', 'before']);
  await noTaskFailed();
});

test('A control is obeyed whatever comes with it, as sent by somebody unknown where it does not say by whom (G3).', async () => {
  pipeline = await startPipeline();
  await pipeline.shards.configure('test');
  for (const args of GARBAGE) {
    await batcher().signal('pause', ...args);
    await batcher().signal('drain', ...args);
    await batcher().signal('flush', ...args);
  }
  await pipeline.send(['kept']);
  const unknown = { by: 'unknown', atMs: expect.any(Number) };
  expect(await pipeline.status()).toMatchObject({ bufferedRecords: 1, paused: unknown, drain: unknown });
  await batcher().signal('resume', 'garbage');
  const { paused, counters } = await pipeline.quiet();
  expect(paused).toBeNull();
  expect(counters).toMatchObject({ saved: 1 });
  await noTaskFailed();
});

test('Questions and updates that are none are refused, and leave no event in history.', async () => {
  pipeline = await startPipeline();
  await pipeline.send(['a']);
  await pipeline.quiet();
  const before = (await eventsOf(pipeline, pipeline.batcherWorkflowId)).length;
  for (const name of ['read', 'take', 'limits', 'layout']) {
    for (const args of GARBAGE) {
      await expect(batcher().executeUpdate(name, { args } as never)).rejects.toMatchObject({
        cause: { type: expect.stringMatching(/^(invalid-request|keepapart-answers)$/) },
      });
    }
  }
  const questions = [
    { about: 'keys' },
    { about: 'request' },
    { about: 'nothing' },
    { about: 'stream', key: 1 },
    { about: 'stream', key: { scope: '', key: 'short' } },
    { about: 'keys', keys: ['text'] },
  ];
  for (const question of questions) {
    await expect(batcher().executeUpdate('read', { args: [[question]] } as never)).rejects.toMatchObject({
      cause: { type: 'invalid-request' },
    });
  }
  for (const one of REQUESTS) {
    const args = [[one], { sender: 'test', number: 1 }];
    await expect(batcher().executeUpdate('take', { args } as never)).rejects.toMatchObject({
      cause: { type: 'invalid-request' },
    });
  }
  expect(await eventsOf(pipeline, pipeline.batcherWorkflowId)).toHaveLength(before);
  await noTaskFailed();
});

test('A change of limits that does not say when it is made is refused, and changes nothing.', async () => {
  pipeline = await startPipeline();
  await pipeline.shards.configure('test');
  for (const action of [undefined, { by: 'Ann' }, { atMs: 1 }, { by: 'Ann', atMs: 'now' }]) {
    const args = [{ maxBatchSize: 2 }, action];
    await expect(batcher().executeUpdate('limits', { args } as never)).rejects.toMatchObject({
      cause: { type: 'invalid-request' },
    });
  }
  const { settings, overridden } = await pipeline.status();
  expect([settings.maxBatchSize, overridden]).toEqual([5, {}]);
  await noTaskFailed();
});

test('A batch and a page of a buffer go on, whatever signals and updates they get (G3, G4).', async () => {
  let mayGo = false;
  pipeline = await startPipeline({ limits: { messages: 20 }, settings: { maxBatchSize: 1 } });
  pipeline.store.beforeSave = () => {
    if (!mayGo) throw new Error('not yet');
  };
  await pipeline.batcher.changeLimits({ maxAttempts: 100, retryIntervalMs: 300 }, 'test');
  await pipeline.send(['in a batch']);
  await waitFor('the batch', async () => (await pipeline.status()).inFlight === 1);
  await pipeline.batcher.pause('test');
  for (let i = 0; i < 30; i++) await pipeline.send([`${i} ${'x'.repeat(5000)}`]);
  await waitFor('a page', async () => (await pipeline.status()).pages > 0);
  const [pageId] = [bufferPageId(pipeline.batcherWorkflowId, 1)];
  const childId = childOf(pipeline, 1);
  for (const workflowId of [childId, pageId]) {
    const handle = pipeline.client.workflow.getHandle(workflowId);
    for (const args of GARBAGE) {
      await handle.signal('unknown', ...args);
      await handle.signal('addRecords', ...args);
    }
    await expect(handle.executeUpdate('take', { args: [[]] } as never)).rejects.toThrow();
  }
  mayGo = true;
  await pipeline.batcher.resume('test');
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 31, saved: 31, rolledBack: 0 });
  await noTaskFailed(childId);
  await noTaskFailed(pageId);
  await noTaskFailed();
});

test('A page that somebody lets go with a signal of their own has its records taken in all the same (G4).', async () => {
  pipeline = await startPipeline({ limits: { messages: 20 } });
  await pipeline.batcher.pause('test');
  for (let i = 0; i < 30; i++) await pipeline.send([`${i} ${'x'.repeat(5000)}`]);
  await waitFor('a page', async () => (await pipeline.status()).pages > 0);
  const page = pipeline.client.workflow.getHandle(bufferPageId(pipeline.batcherWorkflowId, 1));
  for (const args of GARBAGE) await page.signal('takenIn', ...args).catch(() => undefined);
  await page.result();
  await pipeline.batcher.resume('test');
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 30, saved: 30 });
});
