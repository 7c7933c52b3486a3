import request from 'supertest';
import { testApp } from './test-app';

test.each([
  ['/v1/workers', 'workersView'],
  ['/v1/controls', 'controlsView'],
  ['/v1/buffer', 'bufferView'],
  ['/v1/dead-letters/groups', 'groupsView'],
] as const)('%s answers what the batcher client knows.', async (path, view) => {
  const { app, batcher } = testApp();
  const response = await request(app).get(path).expect(200);
  expect(response.body).toEqual(batcher[view]);
});

test('A group of dead letters is redriven by its error.', async () => {
  const { app, batcher } = testApp();
  await request(app)
    .post('/v1/dead-letters/redrive')
    .send({ error: 'no place for #', by: 'Ann' })
    .expect(202);
  expect(batcher.calls).toEqual(['redrive({"error":"no place for #"}, Ann)']);
  await request(app).post('/v1/dead-letters/redrive').send({ error: 'x', all: true }).expect(422);
});

test('An audit is started by whom the body names, and is listed from then on.', async () => {
  const { app, batcher } = testApp();
  expect((await request(app).get('/v1/audits').expect(200)).body).toEqual({ audits: [] });
  const started = await request(app).post('/v1/audits').send({ by: 'Ann' }).expect(202);
  expect(started.body).toMatchObject({ by: 'Ann', state: 'running', progress: null });
  expect(batcher.calls).toEqual(['audits()', 'startAudit(Ann)']);
  expect((await request(app).get('/v1/audits').expect(200)).body).toEqual({ audits: [started.body] });
});
