import { createHash } from 'node:crypto';
import type { Express } from 'express';
import request from 'supertest';
import { RIGHTS, type Right } from '../../src/domain/rights';
import { testApp } from './test-app';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** A key for each single right, named like it. */
const apiKeys = RIGHTS.map((right) => ({ name: `only-${right}`, sha256: sha256(right), rights: [right] }));

/** As much of an Express router as a walk over it needs. */
interface Layer {
  handle: { stack?: Layer[] };
  match(path: string): boolean;
  route?: { path: string; methods: Record<string, boolean>; stack: { method?: string }[] };
}

/** Every method of every route under /v1, as they are really served. */
function routesUnderV1(app: Express): { method: string; path: string }[] {
  const layers = (app.router as unknown as { stack: Layer[] }).stack;
  const routers = layers.filter((layer) => layer.handle.stack && layer.match('/v1'));
  return routers
    .flatMap(({ handle }) => handle.stack ?? [])
    .flatMap(({ route }) => {
      const methods = new Set(route?.stack.flatMap(({ method }) => method ?? []));
      const path = `/v1${route?.path.replaceAll(/:\w+/g, 'x') ?? ''}`;
      return [...methods].map((method) => ({ method: method.toUpperCase(), path }));
    });
}

const { app, routes: served } = testApp({ apiKeys });

async function statusFor(right: Right, method: string, path: string): Promise<number> {
  // Events would not end.
  const query = path === '/v1/events' ? '?history=unknown' : '';
  const sent = request(app)[method.toLowerCase() as 'get'](`${path}${query}`);
  return (await sent.set('Authorization', `Bearer ${right}`)).status;
}

const routes = routesUnderV1(served);

test('The walk below finds the routes.', () => {
  const found = routes.map(({ method, path }) => `${method} ${path}`);
  expect(found).toEqual(expect.arrayContaining(['POST /v1/records', 'GET /v1/requests/x', 'POST /v1/drain']));
  expect(found.length).toBeGreaterThan(9);
});

test.each(routes)('$method $path is open to exactly one right.', async ({ method, path }) => {
  const needed = method === 'GET' ? 'read' : path === '/v1/records' ? 'ingest' : 'operate';
  for (const right of RIGHTS) {
    const status = await statusFor(right, method, path);
    expect({ right, refused: status === 403 }).toEqual({ right, refused: right !== needed });
    if (method === 'GET') expect(await statusFor(right, 'HEAD', path)).toBe(status);
  }
});

test('A key without the right is told its name and the right it lacks, and nothing of the body is read.', async () => {
  const { app, batcher } = testApp({ apiKeys });
  const response = await request(app)
    .post('/v1/records')
    .set('X-Api-Key', 'read')
    .type('text')
    .send('x'.repeat(50_000));
  expect([response.status, response.body.code]).toEqual([403, 'forbidden']);
  expect(response.body.detail).toBe('This needs the right "ingest", which the key "only-read" doesn\'t have');
  expect(response.headers['www-authenticate']).toBe(
    'Bearer realm="keepapart", error="insufficient_scope", scope="ingest"',
  );
  expect(batcher.accepted).toEqual([]);
});

test('A method that a path does not take is 405 for every key.', async () => {
  for (const right of RIGHTS) expect(await statusFor(right, 'DELETE', '/v1/records')).toBe(405);
});

test('Two keys that are in force at once both open, so that one can follow the other.', async () => {
  const rotating = ['old', 'new'].map((key) => ({
    name: key,
    sha256: sha256(key),
    rights: ['read'] as const,
  }));
  const { app } = testApp({ apiKeys: rotating });
  for (const key of ['old', 'new']) await request(app).get('/v1/status').set('X-Api-Key', key).expect(200);
  const { app: after } = testApp({ apiKeys: rotating.slice(1) });
  await request(after).get('/v1/status').set('X-Api-Key', 'old').expect(401);
});
