import { createHash, randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import request from 'supertest';
import type { RecordView } from '../../src/contracts/api/answers/requests';
import { savedValues } from '../helpers/memory-store';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { usualApp } from '../helpers/usual-app';
import { watchAnswers } from '../helpers/watch-answers';

/** G11: clients with API keys of their own, who don't know of each other and may choose the same words. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const apiKey = (name: string) => ({
  name,
  sha256: createHash('sha256').update(name).digest('hex'),
  rights: ['ingest', 'read', 'operate'] as const,
});

/** The API as a process has it that knows these clients. Each presents its name as the key. */
function appFor(...clients: string[]): RequestListener {
  return watchAnswers(usualApp(anotherClient(pipeline), clients.map(apiKey)));
}

function post(app: RequestListener, client: string, key: string, body: unknown) {
  return request(app)
    .post('/v1/records')
    .set('x-api-key', client)
    .set('idempotency-key', key)
    .send(body as object);
}

function postLines(app: RequestListener, client: string, key: string, lines: string) {
  return request(app)
    .post('/v1/records')
    .set({ 'x-api-key': client, 'idempotency-key': key, 'content-type': 'application/x-ndjson' })
    .serialize((sent) => sent as string)
    .send(lines);
}

interface Accepted {
  requestId: string;
  records: { recordId: string }[];
}

test('Two clients with the same Idempotency-Key each have their list taken once, under ids of their own (G5, G11).', async () => {
  pipeline = await startPipeline();
  const app = appFor('alice', 'bob');
  const key = randomUUID();
  const mine = await post(app, 'alice', key, ['a']).expect(202);
  const others = await post(app, 'bob', key, ['b']).expect(202);
  await post(app, 'alice', key, ['a']).expect(202, mine.body);
  await post(app, 'bob', key, ['a']).expect(409);
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['a', 'b']);

  const ids = [mine, others].map(({ body }) => body as Accepted);
  expect(new Set(ids.map(({ requestId }) => requestId)).size).toBe(2);
  const told = ids.flatMap(({ records }) => records.map(({ recordId }) => recordId));
  expect(
    pipeline.store
      .outcomes()
      .map(({ recordId }) => recordId)
      .sort(),
  ).toEqual(told.sort());
  for (const { headers, body } of [mine, others]) {
    const { requestId } = body as Accepted;
    const view = await request(app)
      .get(headers['location'] as string)
      .set('x-api-key', 'alice')
      .expect(200);
    expect(view.body).toMatchObject({ requestId, counts: { saved: 1 } });
  }
});

test('A client finds its request by its key alone, and never that of another (G11).', async () => {
  pipeline = await startPipeline();
  const app = appFor('alice', 'bob');
  const key = randomUUID();
  await post(app, 'alice', key, ['a', 'a']).expect(202);
  await post(app, 'bob', key, ['b']).expect(202);
  await pipeline.quiet();
  for (const [client, records] of [
    ['alice', 2],
    ['bob', 1],
  ] as const) {
    const view = await request(app).get(`/v1/requests/${key}`).set('x-api-key', client).expect(200);
    expect((view.body as { records: RecordView[] }).records).toHaveLength(records);
  }
  await request(app).get(`/v1/requests/${key}`).set('x-api-key', 'alice').expect(200);
  const onlyAlices = randomUUID();
  await post(app, 'alice', onlyAlices, ['c']).expect(202);
  await request(app).get(`/v1/requests/${onlyAlices}`).set('x-api-key', 'bob').expect(404);
});

test('What a client sent without a key is found by its id, by every client that may read (G11).', async () => {
  pipeline = await startPipeline();
  const app = appFor('alice', 'bob');
  const sent = await request(app).post('/v1/records').set('x-api-key', 'alice').send([3]).expect(202);
  const { requestId } = sent.body as Accepted;
  const view = await request(app).get(`/v1/requests/${requestId}`).set('x-api-key', 'bob').expect(200);
  expect(view.body).toMatchObject({ requestId });
});

test('A client with many keys pushes none of another out of the window (G5, G11).', async () => {
  pipeline = await startPipeline({ settings: { idempotencyWindowKeys: 4 } });
  const app = appFor('alice', 'bob');
  await post(app, 'alice', 'one', ['alice 1']).expect(202);
  await post(app, 'alice', 'two', ['alice 2']).expect(202);
  for (let i = 0; i < 9; i++) await post(app, 'bob', `key-${i}`, [`bob ${i}`]).expect(202);
  await post(app, 'alice', 'one', ['alice 1']).expect(202);
  await post(app, 'alice', 'two', ['alice 2']).expect(202);
  await post(app, 'bob', 'key-8', ['bob 8']).expect(202);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 11, duplicateRequests: 3 });
});

test('Streams of two clients under the same key are two streams (G5, G11).', async () => {
  pipeline = await startPipeline();
  const app = appFor('alice', 'bob');
  const key = randomUUID();
  const mine = await postLines(app, 'alice', key, '1\n3\n').expect(202);
  await postLines(app, 'bob', key, '4\n').expect(202);
  await postLines(app, 'bob', key, '5\n').expect(409);
  await postLines(app, 'alice', key, '1\n3\n').expect(202, mine.body);
  const { counters } = await pipeline.quiet();
  expect(counters.accepted).toBe(3);
  const view = await request(app).get(`/v1/requests/${key}`).set('x-api-key', 'alice').expect(200);
  expect(view.body).toMatchObject({ counts: { saved: 2 } });
});

test('A dead letter of a client is listed and sent again under the id that the client was told (G4, G11).', async () => {
  pipeline = await startPipeline();
  const app = appFor('alice');
  let isFailing = true;
  pipeline.store.beforeSave = () => {
    if (isFailing) throw new Error('no');
  };
  const sent = await post(app, 'alice', 'order', ['x']).expect(202);
  const { requestId } = sent.body as Accepted;
  await pipeline.quiet();
  isFailing = false;
  const again = await request(app)
    .post('/v1/dead-letters/redrive')
    .set('x-api-key', 'alice')
    .send({ records: [`${requestId}:0`] })
    .expect(202);
  expect(again.body).toMatchObject({ redriven: [{ recordId: `${requestId}:0` }] });
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ saved: 1, rolledBack: 1 });
  const redriven = (again.body as { redriven: { requestId: string }[] }).redriven[0]!.requestId;
  const view = await request(app).get(`/v1/requests/${redriven}`).set('x-api-key', 'alice').expect(200);
  expect(view.body).toMatchObject({ redriveOf: `${requestId}:0`, counts: { saved: 1 } });
});
