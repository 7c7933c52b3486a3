import { createHash } from 'node:crypto';
import request from 'supertest';
import { KeepapartError } from '../../src/domain/errors';
import { idsOf, keepTraces, newContext } from '../helpers/traced';
import { testApp } from './test-app';
import { waitFor } from '../helpers/wait-for';

const LINE = 'application/x-ndjson';

test('A list and a stream hand their context on, and their span has the answer, beside the id in the log.', async () => {
  const traces = keepTraces();
  const { app, batcher, logs } = testApp({ tracing: traces });
  const client = newContext();
  const traceparent = `00-${client.traceId}-${client.spanId}-01`;
  await request(app).post('/v1/records').set({ traceparent }).send([1, 2]).expect(202);
  await request(app).post('/v1/records').set({ traceparent }).type(LINE).send('1\n2\n').expect(202);
  await waitFor('both spans', () => traces.spans.length === 2);
  for (const span of traces.spans) {
    expect(span.parentSpanContext).toMatchObject({ traceId: client.traceId, spanId: client.spanId });
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 202,
      'keepapart.request.records': 2,
    });
  }
  expect(batcher.accepted[0]).toMatchObject({ trace: expect.stringMatching(/^[\w-]{32}$/) });
  const lines = logs.map((line) => JSON.parse(line) as { trace_id?: string; req?: { id: string } });
  expect(lines.filter(({ trace_id: id, req }) => id === client.traceId && req !== undefined)).toHaveLength(2);
});

test('A request that is not sampled hands nothing on, and its trace is in the log all the same.', async () => {
  const traces = keepTraces();
  const { app, batcher, logs } = testApp({ tracing: traces });
  const { traceId, spanId } = newContext();
  await request(app)
    .post('/v1/records')
    .set({ traceparent: `00-${traceId}-${spanId}-00` })
    .send([1])
    .expect(202);
  await waitFor('the line', () => logs.some((line) => line.includes(`"trace_id":"${traceId}"`)));
  expect(Object.keys(batcher.accepted[0] ?? {})).not.toContain('trace');
  expect(traces.spans).toEqual([]);
});

test('Guesses at a key have no span, whatever they are answered.', async () => {
  const traces = keepTraces();
  const sha256 = createHash('sha256').update('secret').digest('hex');
  const { app } = testApp({ tracing: traces, apiKeys: [{ name: 'ann', sha256, rights: ['ingest'] }] });
  const postWith = (key: string) => request(app).post('/v1/records').set('X-Api-Key', key).send([1]);
  const answers = await Promise.all(Array.from({ length: 300 }, () => postWith('wrong')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  await postWith('secret').expect(202);
  await waitFor('the span of the key that is right', () => traces.spans.length > 0);
  expect(traces.spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([202]);
});

test('A refusal is no error of the server and a failure is; calls without a key and other calls have no span.', async () => {
  const traces = keepTraces();
  const sha256 = createHash('sha256').update('secret').digest('hex');
  const apiKeys = [{ name: 'ann', sha256, rights: ['ingest', 'read'] as const }];
  const { app, batcher } = testApp({ tracing: traces, apiKeys });
  const authorization = 'Bearer secret';
  await request(app).post('/v1/records').send([1]).expect(401);
  await request(app).get('/v1/status').set({ authorization }).expect(200);
  await request(app).post('/v1/records').set({ authorization }).send({ no: 'list' }).expect(422);
  batcher.addRecords = () => Promise.reject(new KeepapartError('temporal-unavailable', 'away'));
  await request(app).post('/v1/records').set({ authorization }).send([1]).expect(503);
  await waitFor('two spans', () => traces.spans.length === 2);
  expect(
    traces.spans.map(({ attributes, status }) => [attributes['http.response.status_code'], status.code]),
  ).toEqual([
    [422, 0],
    [503, 2],
  ]);
  expect(new Set(traces.spans.map((span) => idsOf(span).traceId)).size).toBe(2);
});
