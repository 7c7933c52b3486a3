import { createGivingWay, type RunProgress } from '../../src/temporal/shard/giving-way';
import { waitFor } from '../helpers/wait-for';

const LIMITS = {
  bytesPerRun: 100,
  patienceMs: 50,
  lookEveryMs: 1,
  messageBytes: 0,
  standingBytes: 10_000,
  standingEvents: 1000,
};

/** A batcher whose current run the test sets; every look is counted. */
function setUp({ getsOn = false, ...limits }: Partial<typeof LIMITS> & { getsOn?: boolean } = {}) {
  const batcher = { run: { runId: 'first', historyLength: 3, historySize: 0 }, looks: 0, away: false };
  const sent: string[] = [];
  const giveWay = createGivingWay(
    () => {
      batcher.looks++;
      if (getsOn) batcher.run = { ...batcher.run, historyLength: batcher.run.historyLength + 1 };
      return batcher.away ? Promise.reject(new Error('away')) : Promise.resolve<RunProgress>(batcher.run);
    },
    { ...LIMITS, ...limits },
  );
  const send = (bytes: number) =>
    giveWay(bytes, () => {
      sent.push(batcher.run.runId);
      return Promise.resolve(batcher.run.runId);
    });
  return { batcher, sent, send };
}

test('A run takes its share, and is looked at beforehand only.', async () => {
  const { batcher, sent, send } = setUp();
  for (let i = 0; i < 10; i++) await send(10);
  expect(sent).toHaveLength(10);
  expect(batcher.looks).toBe(1);
});

test('What would be more than a share waits for the next run, which has a share of its own.', async () => {
  const { batcher, sent, send } = setUp({ patienceMs: 60_000 });
  await send(60);
  const next = send(60);
  await waitFor('some looks', () => batcher.looks > 3);
  expect(sent).toEqual(['first']);
  batcher.run = { runId: 'second', historyLength: 1, historySize: 0 };
  await next;
  await send(40);
  expect(sent).toEqual(['first', 'second', 'second']);
});

test('A run that has ended by itself is looked at once and not waited for.', async () => {
  const { batcher, sent, send } = setUp();
  for (const runId of ['first', 'second', 'third']) {
    batcher.run = { runId, historyLength: 1, historySize: 0 };
    await send(90);
  }
  // What the second took is not held against the third.
  await send(10);
  expect({ sent, looks: batcher.looks }).toEqual({
    sent: ['first', 'second', 'third', 'third'],
    looks: 3,
  });
});

test('A run that makes no progress is sent more after a while, and then a whole share.', async () => {
  const { batcher, sent, send } = setUp();
  await send(100);
  await send(50);
  const { looks } = batcher;
  expect(looks).toBeGreaterThan(0);
  await send(50);
  expect(sent).toEqual(['first', 'first', 'first']);
  expect(batcher.looks).toBe(looks);
});

test('One that gets on is waited for, however long that takes.', async () => {
  const { batcher, sent, send } = setUp({ getsOn: true });
  await send(100);
  const next = send(1);
  await waitFor('more looks than it would be given if it stood still', () => batcher.looks > 200);
  expect(sent).toEqual(['first']);
  batcher.run = { runId: 'second', historyLength: 1, historySize: 0 };
  await next;
  expect(sent).toEqual(['first', 'second']);
});

test('Something larger than a share goes by itself.', async () => {
  const { batcher, sent, send } = setUp();
  await send(1000);
  expect({ sent, looks: batcher.looks }).toEqual({ sent: ['first'], looks: 1 });
});

test('A message is sent even if the run can not be read, and its error is reported.', async () => {
  const { batcher, sent, send } = setUp();
  await send(100);
  batcher.away = true;
  await send(10);
  expect(sent).toHaveLength(2);
});

test('A run without progress accepts no more once its history is as long as a worker can hand over.', async () => {
  const { batcher, sent, send } = setUp();
  await send(100);
  batcher.run = { ...batcher.run, historySize: 9_950 };
  await expect(send(60)).rejects.toMatchObject({ code: 'buffer-full', retryAfterMs: 5000 });
  await send(50);
  batcher.run = { ...batcher.run, historySize: 0, historyLength: 1000 };
  await expect(send(60)).rejects.toMatchObject({ code: 'buffer-full' });
  batcher.run = { runId: 'second', historyLength: 5, historySize: 1000 };
  await send(60);
  expect(sent).toEqual(['first', 'first', 'second']);
});

test('A process that has just started knows from the server how long a run is, and adds nothing to one that is full.', async () => {
  const { batcher, sent, send } = setUp();
  batcher.run = { ...batcher.run, historySize: 9_999 };
  await expect(send(2)).rejects.toMatchObject({ code: 'buffer-full' });
  expect(sent).toEqual([]);
});
