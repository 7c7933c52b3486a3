import { createHash, randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import request from 'supertest';
import { dataConverterFor } from '../../src/temporal/codec/data-converter';
import { payloadCoderOf } from '../../src/temporal/codec/json-codec';
import { KeyRing } from '../../src/temporal/codec/key-ring';
import { testApp } from './test-app';

const UI = 'http://localhost:8233';
const keys = new KeyRing([{ id: '2026-11', secret: randomBytes(32).toString('base64') }]);
const client = new Client({
  connection: Connection.lazy(),
  namespace: 'orders',
  dataConverter: dataConverterFor(keys, 'orders'),
});
const coder = payloadCoderOf(client);
const codec = { origins: [UI], coder };
const apiKeys = (['read', 'ingest'] as const).map((right) => ({
  name: `only-${right}`,
  sha256: createHash('sha256').update(right).digest('hex'),
  rights: [right],
}));

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const plain = (value: unknown) => ({
  metadata: { encoding: base64('json/plain') },
  data: base64(defaultPayloadConverter.toPayload(value).data ?? ''),
});

test('what /codec/encode encrypts, /codec/decode decrypts, in the JSON of Temporal and in order', async () => {
  const { app } = testApp({ codec });
  const payloads = [plain({ canary: 1 }), plain('two')];
  const encoded = await request(app).post('/codec/encode').set('X-Namespace', 'orders').send({ payloads });
  expect(encoded.status).toBe(200);
  expect(Buffer.from(JSON.stringify(encoded.body)).toString()).not.toContain(payloads[0]?.data);
  const decoded = await request(app)
    .post('/codec/decode')
    .send(encoded.body as object);
  expect(decoded.body).toEqual({ payloads });
});

test('/codec is not there unless it is turned on', async () => {
  await request(testApp().app).post('/codec/decode').send({ payloads: [] }).expect(404);
});

test('each call of /codec leaves one line that says who and how many, and never what', async () => {
  const { app, logs } = testApp({ codec, apiKeys });
  const payloads = [plain('canary'), plain('canary')];
  await request(app).post('/codec/encode').set('Authorization', 'Bearer read').send({ payloads }).expect(200);
  const lines = logs.filter((line) => line.includes('"codec"'));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ codec: 'encode', payloads: 2, key: 'only-read' });
  expect(logs.join('')).not.toMatch(/canary|Y2FuYXJ5/);
});

test('/codec needs a key with the right read', async () => {
  const { app } = testApp({ codec, apiKeys });
  const ask = () => request(app).post('/codec/decode').send({ payloads: [] });
  await ask().expect(401);
  await ask().set('Authorization', 'Bearer ingest').expect(403);
  await ask().set('Authorization', 'Bearer read').expect(200);
});

test('pages of exactly the allowed origins may call /codec, and may ask beforehand without a key', async () => {
  const { app } = testApp({ codec, apiKeys });
  const preflight = await request(app).options('/codec/decode').set({
    Origin: UI,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'x-namespace',
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': UI,
    'access-control-allow-methods': 'POST',
    vary: 'Origin',
  });
  expect(preflight.headers['access-control-allow-headers']).toContain('x-namespace');
  const answer = await request(app)
    .post('/codec/decode')
    .set({ Origin: UI, Authorization: 'Bearer read' })
    .send({ payloads: [] });
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, UI]);
});

test.each(['http://localhost:8234', 'https://localhost:8233', 'http://localhost:8233.evil.example', 'null'])(
  'a page of the origin %s is refused by /codec before anything is decrypted',
  async (origin) => {
    const { app, logs } = testApp({ codec });
    for (const method of ['post', 'options'] as const) {
      const answer = await request(app)[method]('/codec/decode').set('Origin', origin).send({ payloads: [] });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
    expect(logs.join('')).not.toContain('"codec"');
  },
);

test.each([
  ['no payloads', {}],
  ['data that is not Base64', { payloads: [{ data: '*' }] }],
  ['too many payloads', { payloads: Array.from({ length: 10_001 }, () => ({})) }],
])('/codec refuses %s', async (_, body) => {
  await request(testApp({ codec }).app).post('/codec/decode').send(body).expect(422);
});

test('/codec refuses a body above 4 MiB, and another namespace than its own', async () => {
  const { app } = testApp({ codec });
  const large = { payloads: [{ data: 'A'.repeat(4 * 1024 * 1024) }] };
  await request(app).post('/codec/decode').send(large).expect(413);
  await request(app).post('/codec/decode').set('X-Namespace', 'other').send({ payloads: [] }).expect(422);
});

test('/codec says which key is missing, with 503', async () => {
  const other = new KeyRing([{ id: '2026-05', secret: randomBytes(32).toString('base64') }]);
  const dataConverter = dataConverterFor(other, 'orders');
  const strange = payloadCoderOf(
    new Client({ connection: Connection.lazy(), namespace: 'orders', dataConverter }),
  );
  const payloads = await strange.encode([plain(1)]);
  const { body, status } = await request(testApp({ codec }).app).post('/codec/decode').send({ payloads });
  expect(status).toBe(503);
  expect(body).toMatchObject({ code: 'encryption-key-missing', detail: expect.stringContaining('2026-05') });
});
