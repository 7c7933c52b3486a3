import { createHash } from 'node:crypto';
import request from 'supertest';
import { KeepapartError } from '../../src/domain/errors';
import { testApp, type Problem, type TestApp } from './test-app';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const apiKeys = [
  { name: 'sender', sha256: sha256('sender'), rights: ['ingest'] as const },
  { name: 'reader', sha256: sha256('reader'), rights: ['read'] as const },
];
const SENDER = { authorization: 'Bearer sender' };
/** Past Express, and by it. */
const FORMS = [
  { type: 'application/json', target: '/v1/records' },
  { type: 'application/json; charset=utf-8', target: '/v1/records' },
  { type: 'application/json', target: '/v1/records?' },
];

interface Case {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  before?: (app: TestApp) => void;
}

const CASES: Record<string, Case> = {
  'a list': { status: 202 },
  'an empty list': { status: 422, body: '[]' },
  'what is no JSON': { status: 400, body: '[1' },
  'what is too large': { status: 413, body: JSON.stringify('x'.repeat(10_000)) },
  'no body': { status: 422, body: '' },
  'a list without a key': { status: 401, headers: { authorization: '' } },
  'a list without the right': { status: 403, headers: { authorization: 'Bearer reader' } },
  'a list of a page of another origin': { status: 403, headers: { 'sec-fetch-site': 'cross-site' } },
  'a list under a key that is none': { status: 422, headers: { 'idempotency-key': '?' } },
  'a list while the process is about to stop': { status: 503, before: ({ drain }) => (drain.on = true) },
  'a list that the batcher refuses': {
    status: 429,
    before: ({ batcher }) =>
      (batcher.failure = new KeepapartError('buffer-full', 'full', { retryAfterMs: 3000 })),
  },
  'a list that meets a fault of ours': {
    status: 500,
    before: ({ batcher }) => (batcher.failure = new Error('a secret')),
  },
};

/** What differs from one request to the next. */
function comparable({ status, headers, text }: request.Response): unknown {
  const { 'x-request-id': id = '', ...others } = headers as Record<string, string>;
  return { status, headers: { ...others, date: '' }, body: text.replaceAll(id, 'ID') };
}

test.each(Object.entries(CASES))(
  '%s is answered alike past Express and by it.',
  async (_, { status, body = '[1, 2]', headers, before }) => {
    const answers: unknown[] = [];
    const taken: unknown[] = [];
    for (const { type, target } of FORMS) {
      const test = testApp({ apiKeys, rateLimitPerSecond: 10 });
      before?.(test);
      const sent = request(test.app)
        .post(target)
        .set({ ...SENDER, ...headers, 'content-type': type });
      const response = await sent.send(body).buffer(true);
      answers.push(comparable(response));
      taken.push(test.batcher.accepted);
      expect(response.status).toBe(status);
      if (status >= 400) expect((JSON.parse(response.text) as Problem).status).toBe(status);
      expect(test.logs.filter((line) => line.includes('"request completed"'))).toHaveLength(1);
    }
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    expect(taken).toEqual([taken[0], taken[0], taken[0]]);
  },
);

test('A caller has one limit for both ways.', async () => {
  const { app } = testApp({ apiKeys, rateLimitPerSecond: 2 });
  const statuses: number[] = [];
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json']) {
    const sent = request(app)
      .post('/v1/records')
      .set({ ...SENDER, 'content-type': type });
    statuses.push((await sent.send('[1]')).status);
  }
  expect(statuses).toEqual([202, 202, 429]);
});
