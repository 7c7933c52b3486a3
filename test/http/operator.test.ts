import request from 'supertest';
import { testApp } from './test-app';

const ACTIONS = ['flush', 'pause', 'resume'] as const;

test.each(ACTIONS)('%s needs no body, and is then done by "anonymous".', async (action) => {
  const { app, batcher } = testApp();
  const response = await request(app).post(`/v1/${action}`);
  expect(response.status).toBe(202);
  expect(response.body).toEqual({ accepted: true, action, by: 'anonymous' });
  expect(batcher.calls).toEqual([`${action}(anonymous)`]);
});

test.each(ACTIONS)('%s keeps who did it.', async (action) => {
  const { app, batcher } = testApp();
  await request(app).post(`/v1/${action}`).send({ by: 'Zoë, on call' }).expect(202);
  expect(batcher.calls).toEqual([`${action}(Zoë, on call)`]);
});

test('An empty body counts as none, whatever its type.', async () => {
  const { app } = testApp();
  await request(app).post('/v1/flush').set('Content-Length', '0').type('text/plain').expect(202);
});

test.each([
  [{ by: '' }, '/by'],
  [{ by: ' ' }, '/by'],
  [{ by: 'x'.repeat(65) }, '/by'],
  [{ by: 'a\nb' }, '/by'],
  [{ by: '\u001b[31mred' }, '/by'],
  [{ by: 'right\u202eleft' }, '/by'],
  [{ by: 5 }, '/by'],
  [{ force: true }, '/force'],
  [[], ''],
])('A body that says something else is refused, and nothing done: %j.', async (body, field) => {
  const { app, batcher } = testApp();
  const response = await request(app).post('/v1/pause').send(body);
  expect([response.status, response.body.code]).toEqual([422, 'invalid-request']);
  expect(response.body.problems[0].field).toBe(field);
  expect(batcher.calls).toEqual([]);
});

test('A body that is no JSON, or far too large, is refused as elsewhere.', async () => {
  const { app, batcher } = testApp();
  await request(app).post('/v1/pause').type('json').send('{').expect(400);
  await request(app).post('/v1/pause').type('text').send('now').expect(415);
  await request(app)
    .post('/v1/pause')
    .send({ by: 'x'.repeat(5000) })
    .expect(413);
  expect(batcher.calls).toEqual([]);
});
