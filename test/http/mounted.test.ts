import express from 'express';
import request from 'supertest';
import type { HttpDeps } from '../../src/http/deps';
import { noteMount } from '../../src/http/mount';
import { RIGHTS } from '../../src/domain/rights';
import { testApp } from './test-app';

/** An app of somebody who has mounted keepapart under a path, and may have done something before. */
function mounted(overrides: Partial<HttpDeps> = {}, before: express.RequestHandler[] = []) {
  const inner = testApp(overrides);
  const outer = express();
  for (const handler of before) outer.use(handler);
  outer.use('/the/keeper', (req, res) => {
    noteMount(req, req.baseUrl);
    inner.app(req, res);
  });
  return { ...inner, outer };
}

test('An API that is mounted under a path tells clients the whole path to what they sent.', async () => {
  const { outer } = mounted();
  const list = await request(outer).post('/the/keeper/v1/records').send([1]).expect(202);
  expect(list.headers['location']).toBe('/the/keeper/v1/requests/r1');
  const stream = await request(outer)
    .post('/the/keeper/v1/records')
    .type('application/x-ndjson')
    .send('1\n2\n')
    .expect(202);
  expect(stream.headers['location']).toBe('/the/keeper/v1/requests/r2');
});

test.each(['/the/keeper', '/the/keeper/'])(
  'the dashboard at %s loads its files from there, and knows where the API is',
  async (path) => {
    const { outer } = mounted();
    const { text } = await request(outer).get(path).expect(200);
    expect(text).toContain('<meta name="keepapart-mount" content="/the/keeper">');
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) await request(outer).get(file).expect(200);
  },
);

test('The page with the description loads its files from there, and the description says where the API is.', async () => {
  const { outer } = mounted();
  const { text } = await request(outer).get('/the/keeper/docs').expect(200);
  const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
  expect(files).toHaveLength(2);
  for (const file of files) await request(outer).get(file).expect(200);
  const { body } = await request(outer).get('/the/keeper/openapi.json').expect(200);
  expect(body.servers).toEqual([{ url: '/the/keeper' }]);
});

test('At the root nothing of a mount is told.', async () => {
  const { app } = testApp();
  const { body } = await request(app).get('/openapi.json').expect(200);
  expect(body.servers).toBeUndefined();
  const { text } = await request(app).get('/').expect(200);
  expect(text).toContain('<meta name="keepapart-mount" content="">');
});

test('A path that a client has sent never becomes markup.', async () => {
  const inner = testApp();
  const outer = express().use('/:tenant', (req, res) => {
    noteMount(req, req.baseUrl);
    inner.app(req, res);
  });
  for (const path of ['', '/docs']) {
    const { text } = await request(outer).get(`/x"onload="alert(1)${path}`);
    expect(text).not.toContain('"onload=');
  }
});

test('A body that was read before keepapart got the request is refused, with the reason in the log alone.', async () => {
  const { outer, logs, batcher } = mounted({}, [express.json()]);
  const { status, body } = await request(outer).post('/the/keeper/v1/records').send([1]);
  expect([status, body.code]).toEqual([500, 'internal']);
  expect(JSON.stringify(body)).not.toContain('express');
  expect(logs.join('')).toContain('mount keepapart before body parsers');
  expect(batcher.accepted).toEqual([]);
  await request(outer).get('/the/keeper/v1/status').expect(200);
});

describe('where the app around the API says who calls,', () => {
  const authorize: HttpDeps['authorize'] = (req) => {
    const user = req.headers['x-user'];
    return typeof user === 'string' ? { name: user, rights: user === 'ann' ? RIGHTS : ['read'] } : undefined;
  };

  test('nobody is refused with 401, and whoever lacks a right with 403', async () => {
    const { outer, batcher } = mounted({ authorize });
    await request(outer).get('/the/keeper/v1/status').expect(401);
    await request(outer).post('/the/keeper/v1/records').send([1]).expect(401);
    await request(outer).get('/the/keeper/v1/status').set('x-user', 'bob').expect(200);
    await request(outer).post('/the/keeper/v1/records').set('x-user', 'bob').send([1]).expect(403);
    expect(batcher.accepted).toEqual([]);
    await request(outer).post('/the/keeper/v1/records').set('x-user', 'ann').send([1]).expect(202);
  });

  test('what they do is theirs, and so are their keys', async () => {
    const { outer, batcher } = mounted({ authorize });
    const paused = await request(outer).post('/the/keeper/v1/pause').set('x-user', 'ann').send({ by: 'bob' });
    expect(paused.body.by).toBe('ann');
    expect(batcher.calls).toEqual(['pause(ann)']);
    const sent = await request(outer)
      .post('/the/keeper/v1/records')
      .set({ 'x-user': 'ann', 'idempotency-key': 'k' })
      .send([1]);
    expect(sent.body.requestId).toBe('ann~k');
  });

  test('requests may be for any host name, as without a user a name gives nothing', async () => {
    const { outer } = mounted({ authorize });
    await request(outer).get('/the/keeper/v1/status').set('host', 'evil.example').expect(401);
  });

  test('the dashboard asks for no key', async () => {
    const { outer } = mounted({ authorize });
    const { text } = await request(outer).get('/the/keeper/').expect(200);
    expect(text).toContain('<meta name="keepapart-keys" content="host">');
  });

  test('a name that can be no name is a mistake of the app, and nobody gets in by it', async () => {
    const { outer, logs, batcher } = mounted({
      authorize: () => ({ name: 'ann@example.com', rights: RIGHTS }),
    });
    await request(outer).post('/the/keeper/v1/records').send([1]).expect(500);
    expect(logs.join('')).toContain('authorize named a caller');
    expect(batcher.accepted).toEqual([]);
  });
});
