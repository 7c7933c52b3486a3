import { createHash } from 'node:crypto';
import pino from 'pino';
import request from 'supertest';
import type { EndedRequest } from '../../src/contracts/instruments';
import { KeepapartError } from '../../src/domain/errors';
import { createProbeApp } from '../../src/http/probe-app';
import { testApp } from './test-app';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const metrics = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  text: () => Promise.resolve('a 1\n'),
};

/** What was told to whoever measures. */
function observed() {
  const [requests, refusals, received]: [EndedRequest[], string[], unknown[]] = [[], [], []];
  return {
    ...{ requests, refusals, received },
    instruments: {
      requestEnded: (ended: EndedRequest) => void requests.push(ended),
      refused: (code: string) => void refusals.push(code),
      received: (...taken: unknown[]) => void received.push(taken),
    },
  };
}

test('Requests are told by the route that they came to, not by their path.', async () => {
  const { instruments, requests, refusals, received } = observed();
  const { app } = testApp({ instruments });
  await request(app).get('/v1/batches/secret-id').expect(404);
  await request(app).post('/v1/records').set('Content-Type', 'application/json').send('[1, 2]').expect(202);
  await request(app)
    .post('/v1/records?x')
    .set('Content-Type', 'application/x-ndjson')
    .send('1\n22\n')
    .expect(202);
  await request(app).get('/nothing').expect(404);
  expect(requests.map(({ method, route, status }) => [method, route, status])).toEqual([
    ['GET', '/v1/batches/{batchId}', 404],
    ['POST', '/v1/records', 202],
    ['POST', '/v1/records', 202],
    ['GET', undefined, 404],
  ]);
  expect(refusals).toEqual(['batch-not-found', 'not-found']);
  expect(received).toEqual([
    ['http', 2, 6],
    ['ndjson', 2, 3],
  ]);
});

test('GET /metrics of an API is for keys that may read.', async () => {
  const apiKeys = [
    { name: 'reader', sha256: sha256('r'), rights: ['read'] as const },
    { name: 'sender', sha256: sha256('s'), rights: ['ingest'] as const },
  ];
  const { routes } = testApp({ metrics, apiKeys });
  const ask = (key: string) => request(routes).get('/metrics').set('X-Api-Key', key);
  const answer = await ask('r').expect(200);
  expect([answer.text, answer.headers['content-type']]).toEqual(['a 1\n', metrics.contentType]);
  await ask('s').expect(403);
  await request(routes).get('/metrics').expect(401);
  await request(testApp({ metrics }).routes).get('/metrics').expect(200);
});

test('The port for probes answers whether the process is ready, and nothing of the API.', async () => {
  const state = { draining: false, failure: new KeepapartError('not-ready', 'not yet') as Error | undefined };
  const app = createProbeApp({
    metrics,
    checkReady: () =>
      state.failure === undefined ? Promise.resolve({ storeAwaySince: null }) : Promise.reject(state.failure),
    isDraining: () => state.draining,
    allowedHosts: [],
    logger: pino({ level: 'silent' }),
  });
  await request(app).get('/healthz').expect(200);
  await request(app).get('/readyz').expect(503);
  expect((await request(app).get('/metrics').expect(200)).text).toBe('a 1\n');
  await request(app).get('/v1/status').expect(404);
  await request(app).get('/metrics').set('Host', 'elsewhere.example').expect(421);
  state.draining = true;
  await request(app).get('/readyz').expect(503);
});
