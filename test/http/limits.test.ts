import fc from 'fast-check';
import request from 'supertest';
import { SETTINGS } from '../../src/config';
import { KeepapartError } from '../../src/domain/errors';
import { LIMIT_KEYS, LIMIT_RANGES, limitsOf } from '../../src/domain/limits';
import { testApp } from './test-app';

const patch = (app: ReturnType<typeof testApp>['app'], body: object) =>
  request(app).patch('/v1/limits').send(body);

test('Limits are changed by a merge patch, with who does it, and the answer tells what is in force.', async () => {
  const { app, batcher } = testApp();
  const limits = { ...limitsOf(batcher.statusView.settings), maxBatchSize: 7 };
  const shards = [{ shard: 0, batcher: 'batcher-0', limits, overridden: {} }];
  batcher.limitsAnswer = { atMs: 5, shards };
  const body = { maxBatchSize: 7, conflicts: [{ distinct: '/a' }], flushIntervalMs: null };
  const response = await patch(app, { ...body, by: 'Zoë' }).expect(200);
  expect(response.body).toEqual({ by: 'Zoë', atMs: 5, shards });
  expect(batcher.calls).toEqual([`changeLimits(${JSON.stringify(body)}, Zoë)`]);
});

test('A patch without anything changes nothing, and is done by "anonymous".', async () => {
  const { app, batcher } = testApp();
  await patch(app, {}).expect(200);
  expect(batcher.calls).toEqual(['changeLimits({}, anonymous)']);
});

test('It may be sent as what it is, a merge patch; as nothing but JSON.', async () => {
  const { app } = testApp();
  const send = (type: string) => request(app).patch('/v1/limits').type(type).send('{"maxInFlight":1}');
  await send('application/merge-patch+json').expect(200);
  const refused = await send('text/plain').expect(415);
  expect(refused.body.detail).toBe('Send the body as application/merge-patch+json or application/json');
});

test('Everything that is wrong is told at once, and nothing is done.', async () => {
  const { app, batcher } = testApp();
  const body = {
    by: '',
    maxBatchSize: 0,
    batchSpacingMs: 1.5,
    maxSavesPerSecond: [{ at: 'tenant', perSecond: 0 }, { per: 5 }],
    conflicts: [{ pair: [1] }, { at: 1 }],
    shards: 2,
  };
  const response = await patch(app, body).expect(422);
  const fields = (response.body.problems as { field: string }[]).map(({ field }) => field);
  expect(fields).toEqual([
    '/by',
    '/maxBatchSize',
    '/batchSpacingMs',
    '/maxSavesPerSecond/0/at',
    '/maxSavesPerSecond/0/perSecond',
    '/maxSavesPerSecond/1/per',
    '/maxSavesPerSecond/1/perSecond',
    '/conflicts/0/pair',
    '/conflicts/1/at',
    '/conflicts/1',
    '/shards',
  ]);
  expect(batcher.calls).toEqual([]);
});

test.each([[[]], ['5'], [null], [undefined]])('A body that is no object is refused: %j.', async (body) => {
  const { app, batcher } = testApp();
  const sent = request(app).patch('/v1/limits').type('json');
  const response = await (body === undefined ? sent : sent.send(JSON.stringify(body)));
  expect([response.status, response.body.problems]).toEqual([422, [expect.objectContaining({ field: '' })]]);
  expect(batcher.calls).toEqual([]);
});

test('What not every shard has confirmed is told shard by shard.', async () => {
  const { app, batcher } = testApp();
  const shards = [
    { batcher: 'b-0', change: 'changed' as const },
    { batcher: 'b-1', change: 'unknown' as const, reason: 'no worker' },
  ];
  batcher.failure = new KeepapartError('limits-incomplete', 'in part', {
    retryAfterMs: 1000,
    progress: { shards },
  });
  const response = await patch(app, { maxInFlight: 1 }).expect(503);
  expect(response.body).toMatchObject({ code: 'limits-incomplete', shards });
  expect(response.headers['retry-after']).toBe('1');
});

test('It takes exactly the numbers that the configuration takes.', async () => {
  const { app, batcher } = testApp();
  const anyNumber = fc.oneof(fc.integer({ min: -2, max: 2000 }), fc.integer(), fc.double({ noNaN: true }));
  const numbers = Object.keys(LIMIT_RANGES) as (keyof typeof LIMIT_RANGES)[];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...numbers), anyNumber, async (key, value) => {
      const asWritten = JSON.parse(JSON.stringify(value)) as number | null;
      fc.pre(asWritten !== null);
      batcher.calls.length = 0;
      const { status } = await patch(app, { [key]: value });
      const taken = 'value' in SETTINGS[key].parser.parse(asWritten);
      expect([status, batcher.calls.length]).toEqual(taken ? [200, 1] : [422, 0]);
    }),
    { numRuns: 150 },
  );
});

test('Every limit is a setting of the same name.', () => {
  expect(LIMIT_KEYS.filter((key) => !(key in SETTINGS))).toEqual([]);
});
