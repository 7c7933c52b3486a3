import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { testApp } from './test-app';

const JSON_TYPE = 'application/json';

/** Sends bytes as they are, so that no client library mends them first. */
async function send(body: string | Buffer, headers: Record<string, string> = {}) {
  const { app, batcher } = testApp();
  const post = request(app)
    .post('/v1/records')
    .set({ 'Content-Type': JSON_TYPE, ...headers });
  const response = await post.serialize((data) => data as string).send(body);
  return { response, accepted: batcher.accepted };
}

async function expectRefusal(sent: ReturnType<typeof send>, status: number, code: string) {
  const { response, accepted } = await sent;
  expect([response.status, response.body.code]).toEqual([status, code]);
  expect(accepted).toEqual([]);
  return response.body as {
    detail: string;
    problems?: { field: string; expected: string; received: string }[];
  };
}

test.each([
  '',
  ' ',
  '[1,2',
  "'[1]'",
  '[1,]',
  '[01]',
  '[NaN]',
  '[Infinity]',
  'undefined',
  '[1] [2]',
  '{"records":[1]',
])('What is not JSON is 400 invalid-json: %j.', async (text) => {
  // An empty body is no body at all, which is not a list.
  if (text === '') await expectRefusal(send(text), 422, 'invalid-request');
  else await expectRefusal(send(text), 400, 'invalid-json');
});

test('Bytes that are no UTF-8 are refused, not replaced.', async () => {
  const body = Buffer.concat([Buffer.from('["'), Buffer.from([0xff, 0xfe]), Buffer.from('"]')]);
  await expectRefusal(send(body), 400, 'invalid-json');
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/jsonp',
  'nonsense',
  'application/json; charset=latin1',
  'application/json; charset="utf-16"',
])('A body of the type %s is 415.', async (type) => {
  await expectRefusal(send('[1]', { 'Content-Type': type }), 415, 'unsupported-media-type');
});

test.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON'])(
  'A body of the type %s is taken.',
  async (type) => {
    const { response, accepted } = await send('["ü"]', { 'Content-Type': type });
    expect(response.status).toBe(202);
    expect(accepted[0]?.values).toEqual(['ü']);
  },
);

test('A byte order mark before the JSON is passed over.', async () => {
  expect((await send('\uFEFF[1]')).response.status).toBe(202);
});

test('A compressed body is taken.', async () => {
  const { accepted } = await send(gzipSync('[1,2]'), { 'Content-Encoding': 'gzip' });
  expect(accepted[0]?.values).toEqual([1, 2]);
});

test('A small body that inflates beyond the limit is 413: the limit counts inflated bytes.', async () => {
  const bomb = gzipSync(`[${'0,'.repeat(20_000_000)}0]`);
  await expectRefusal(send(bomb, { 'Content-Encoding': 'gzip' }), 413, 'request-too-large');
});

test('A body over the limit is 413, with and without a length told before.', async () => {
  const body = JSON.stringify(['x'.repeat(10_000)]);
  await expectRefusal(send(body), 413, 'request-too-large');

  const { app, batcher } = testApp();
  const chunked = request(app).post('/v1/records').type('json');
  chunked.write(body.slice(0, 6000));
  chunked.write(body.slice(6000));
  const response = await chunked;
  expect([response.status, response.body.code]).toEqual([413, 'request-too-large']);
  expect(batcher.accepted).toEqual([]);
});

test('What claims to be compressed and is not is 400, an unknown encoding 415.', async () => {
  await expectRefusal(send('[1]', { 'Content-Encoding': 'gzip' }), 400, 'invalid-json');
  await expectRefusal(
    send(gzipSync('[1]').subarray(0, 15), { 'Content-Encoding': 'gzip' }),
    400,
    'invalid-json',
  );
  await expectRefusal(send('[1]', { 'Content-Encoding': 'compress' }), 415, 'unsupported-media-type');
});

test.each([
  ['[{"__proto__":{"admin":true}}]', '/0/__proto__'],
  ['{"__proto__":{},"records":[1]}', '/__proto__'],
  ['[{"a":[{"\\u005f_proto__":1}]}]', '/0/a/0/__proto__'],
])('A key that reaches for the prototype is refused wherever it stands: %s.', async (text, field) => {
  const { problems } = await expectRefusal(send(text), 422, 'invalid-request');
  expect(problems).toEqual([{ field, expected: 'any other key', received: '"__proto__" (string)' }]);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test('A key that occurs twice is refused: which of the two is meant can not be known.', async () => {
  const { problems } = await expectRefusal(send('[{"a":1,"b":{"a":1},"a":2}]'), 422, 'invalid-request');
  expect(problems).toEqual([{ field: '/0/a', expected: 'each key once', received: '"a" (string)' }]);
});

test.each([
  ['9007199254740993', '9007199254740993 (number)'],
  ['-9007199254740993', '-9007199254740993 (number)'],
  ['12345678901234567890', '12345678901234567890 (number)'],
  ['3.14159265358979323846', '3.14159265358979323846 (number)'],
  ['1e999', '1e999 (number)'],
  ['-1e999', '-1e999 (number)'],
  ['1e-999', '1e-999 (number)'],
  [`1${'0'.repeat(400)}`, `1${'0'.repeat(76)}... (number)`],
])('A number that would be rounded is refused: %s.', async (number, received) => {
  const { problems } = await expectRefusal(
    send(`[{"a,]}":"\\"7","n":[1,${number}]}]`),
    422,
    'invalid-request',
  );
  expect(problems).toEqual([
    { field: '/0/n/1', expected: 'a number that a 64-bit float holds, or a string', received },
  ]);
});

test('Nesting that would exhaust the stack is refused like any other mistake.', async () => {
  const deep = `${'['.repeat(4000)}${']'.repeat(4000)}`;
  const { problems } = await expectRefusal(send(deep), 422, 'invalid-request');
  expect(problems).toEqual([
    { field: '/0'.repeat(34), expected: 'at most 34 levels of nesting', received: 'more' },
  ]);
});

test('A million mistakes under a long key cost no more than one, and are answered shortly.', async () => {
  const { app } = testApp({
    limits: { maxRecordBytes: 1_000_000, maxRequestBytes: 1_000_000, maxRequestRecords: 1 },
  });
  const body = `[{"${'k'.repeat(300_000)}":[${'1e999,'.repeat(100_000)}0]}]`;
  const response = await request(app).post('/v1/records').type('json').send(body);
  expect(response.status).toBe(422);
  expect(response.body.detail).toContain('100000 problems, the first 20 are listed');
  expect(response.text.length).toBeLessThan(20_000);
});
