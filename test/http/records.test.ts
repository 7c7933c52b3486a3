import { once } from 'node:events';
import { createServer } from 'node:http';
import request from 'supertest';
import { KeepapartError } from '../../src/domain/errors';
import { testApp } from './test-app';

const post = (app: Parameters<typeof request>[0]) => request(app).post('/v1/records');

test('A list is accepted with 202, the id of the request and the id of each record.', async () => {
  const { app, batcher } = testApp();
  const response = await post(app).send([1, 'two', { three: 3 }, null, true]);
  expect(response.status).toBe(202);
  expect(response.headers['location']).toBe('/v1/requests/r1');
  expect(response.body).toEqual({
    requestId: 'r1',
    accepted: 5,
    records: [
      { recordId: 'r1:0', value: 1 },
      { recordId: 'r1:1', value: 'two' },
      { recordId: 'r1:2', value: { three: 3 } },
      { recordId: 'r1:3', value: null },
      { recordId: 'r1:4', value: true },
    ],
  });
  expect(batcher.accepted).toEqual([
    { requestId: 'r1', values: [1, 'two', { three: 3 }, null, true], bytes: 25 },
  ]);
});

test('The list may stand in an object under "records".', async () => {
  const { app, batcher } = testApp();
  const response = await post(app).send({ records: [1, 2] });
  expect(response.status).toBe(202);
  expect(batcher.accepted).toEqual([{ requestId: 'r1', values: [1, 2], bytes: 2 }]);
});

test('Without a generator of its own, the app gives every request a random UUID.', async () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const { app } = testApp({ newRequestId: undefined as never });
  const [first, second] = [await post(app).send([1]), await post(app).send([1])];
  expect(first.body.requestId).toMatch(uuid);
  expect(second.body.requestId).not.toBe(first.body.requestId);
});

test('G3: nothing is answered before the batcher has the records, and 202 as soon as it has.', async () => {
  const { app, batcher } = testApp();
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const release = batcher.hold();
    let answered = false;
    const pending = post(server)
      .send([1])
      .then((response) => {
        answered = true;
        return response;
      });
    while (batcher.accepted.length === 0) await new Promise(setImmediate);
    // A whole round trip on the same server: an answer that had been sent would be here by then.
    await request(server).get('/healthz').expect(200);
    await request(server).get('/v1/status').expect(200);
    expect(answered).toBe(false);
    release();
    expect((await pending).status).toBe(202);
  } finally {
    server.close();
  }
});

test('G3: when the batcher can not be reached the answer is 503 with Retry-After, never 202.', async () => {
  const { app, batcher } = testApp();
  batcher.failure = new KeepapartError('temporal-unavailable', 'No answer in 5 s', { retryAfterMs: 1200 });
  const response = await post(app).send([1]);
  expect(response.status).toBe(503);
  expect(response.headers['retry-after']).toBe('2');
  expect(response.body).toMatchObject({ code: 'temporal-unavailable', detail: 'No answer in 5 s' });
});

test('temporal-unavailable has a Retry-After also when the error names none.', async () => {
  const { app, batcher } = testApp();
  batcher.failure = new KeepapartError('temporal-unavailable', 'No answer');
  const response = await post(app).send([1]);
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
});

test('G6: a full buffer is 429 with its own Retry-After, rounded up to seconds.', async () => {
  const { app, batcher } = testApp();
  batcher.failure = new KeepapartError('buffer-full', 'Full', { retryAfterMs: 1 });
  const response = await post(app).send([1]);
  expect([response.status, response.headers['retry-after']]).toEqual([429, '1']);
});

describe('G5: an Idempotency-Key', () => {
  test.each(['8e03978e-40d5-43dd-bc93-6894a57f9324', '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])(
    '%s is the id of the request, which is to be taken once.',
    async (header) => {
      const { app, batcher } = testApp();
      const response = await post(app).set('Idempotency-Key', header).send([7]);
      const requestId = '8e03978e-40d5-43dd-bc93-6894a57f9324';
      expect([response.status, response.body]).toEqual([
        202,
        { requestId, accepted: 1, records: [{ recordId: `${requestId}:0`, value: 7 }] },
      ]);
      expect(batcher.onceOnly).toEqual([requestId]);
    },
  );

  test('is not invented: a list without one may be taken as often as it is sent.', async () => {
    const { app, batcher } = testApp();
    await post(app).send([7]);
    expect([batcher.accepted.length, batcher.onceOnly]).toEqual([1, []]);
  });

  test('that was used for other records is 409.', async () => {
    const { app, batcher } = testApp();
    batcher.failure = new KeepapartError('idempotency-key-reused', 'Used before');
    const response = await post(app).set('Idempotency-Key', 'abc').send([1]);
    expect([response.status, response.body.code]).toEqual([409, 'idempotency-key-reused']);
  });

  test.each([
    'redrive-1.abc:3',
    '"redrive-12.x:0"',
    '',
    '""',
    'a b',
    '"a',
    'ä',
    '-a',
    'a'.repeat(129),
    '"a", "b"',
  ])('%j is none: 422, and nothing is taken.', async (header) => {
    const { app, batcher } = testApp();
    const response = await post(app).set('Idempotency-Key', header).send([1]);
    expect(response.status).toBe(422);
    expect(response.body.problems).toEqual([
      { field: 'Idempotency-Key', expected: expect.any(String), received: expect.any(String) },
    ]);
    expect(batcher.accepted).toEqual([]);
  });
});

describe('G9: a list is refused whole with 422, and the place told, for', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  const refused: [title: string, body: unknown, field: string, expected: string, received: string][] = [
    ['an empty list', [], '', 'at least one record', '[] (array)'],
    ['an empty list in an object', { records: [] }, '/records', 'at least one record', '[] (array)'],
    ['no list', { a: 1 }, '/records', 'a list of records', 'nothing'],
    ['a value', 5, '', 'a list of records, or {"records": [...]}', '5 (number)'],
    ['null', null, '', 'a list of records, or {"records": [...]}', 'null'],
    ['a list in the list', [1, [2]], '/1', 'a record that is not itself a list', 'a list of 1'],
    [
      'an empty list in the list',
      { records: [[]] },
      '/records/0',
      'a record that is not itself a list',
      '[] (array)',
    ],
    ['a key beside records', { records: [1], 'a/b': 2 }, '/a~1b', 'no such key', '2 (number)'],
    ['too many records', Array(51).fill(1), '', 'at most 50 records', 'a list of 51'],
    [
      'a record that is too large',
      [1, 'x'.repeat(999)],
      '/1',
      'a record of at most 1000 bytes',
      '1001 bytes',
    ],
    ['a record that nests too deep', [deep(33)], '/0', 'a record of at most 32 levels', 'more levels'],
  ];
  test.each(refused)('%s.', async (_title, body, field, expected, received) => {
    const { app, batcher } = testApp();
    const response = await post(app).type('json').send(JSON.stringify(body));
    expect(response.status).toBe(422);
    expect(response.body.code).toBe('invalid-request');
    expect(response.body.problems).toContainEqual({ field, expected, received });
    expect(batcher.accepted).toEqual([]);
  });

  test('a record at each bound is taken.', async () => {
    const { app, batcher } = testApp();
    const atBounds = [deep(32), 'x'.repeat(998), ...Array(48).fill(0)];
    expect((await post(app).send({ records: atBounds })).status).toBe(202);
    expect(batcher.accepted[0]?.values).toEqual(atBounds);
  });

  test('many problems are counted, and the first twenty listed.', async () => {
    const { app } = testApp();
    const response = await post(app).send(Array(50).fill([]));
    expect(response.body.problems).toHaveLength(20);
    expect(response.body.detail).toContain('50 problems, the first 20 are listed');
  });
});

test('Bytes are counted as they are kept: what grows beyond the bound when written out is refused.', async () => {
  const limits = { maxRecordBytes: 20, maxRequestBytes: 40, maxRequestRecords: 50 };
  const { app, batcher } = testApp({ limits });
  // 4 bytes on the wire, 21 as compact JSON.
  const record = await post(app).type('json').send('[1e20]');
  expect(record.status).toBe(422);
  expect(record.body.problems[0].received).toBe('21 bytes');
  const list = await post(app).type('json').send('[1e18,1e18,1e18]');
  expect([list.status, list.body.code]).toEqual([413, 'request-too-large']);
  expect(batcher.accepted).toEqual([]);
});
