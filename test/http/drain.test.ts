import { request as httpRequest } from 'node:http';
import request from 'supertest';
import { listen } from '../../src/http/listen';
import { waitFor } from '../helpers/wait-for';
import { testApp } from './test-app';

test('A drain answers what it has come to, and who asked for it.', async () => {
  const { app, batcher } = testApp();
  const paused = { by: 'the night shift', atMs: 7 };
  const storeAway = { since: '2020-02-02T02:02:02.000Z', reason: 'gone', workers: 1, holdsBack: true };
  const shards = [{ shard: 0, batcher: 'batcher-0', bufferedRecords: 2, inFlight: 1, paused, storeAway }];
  batcher.drainReport = { drained: false, shards, atMs: 5 };
  const response = await request(app).post('/v1/drain').send({ by: 'Zoë', timeoutMs: 1500 }).expect(200);
  expect(response.body).toEqual({ drained: false, shards, by: 'Zoë', atMs: 5 });
  expect(batcher.calls).toEqual(['drain(Zoë, 1500)']);
});

test('It needs no body, and then waits for half a minute.', async () => {
  const { app, batcher } = testApp();
  await request(app).post('/v1/drain').expect(200);
  expect(batcher.calls).toEqual(['drain(anonymous, 30000)']);
});

test.each([
  [{ timeoutMs: -1 }, '/timeoutMs'],
  [{ timeoutMs: 600_001 }, '/timeoutMs'],
  [{ timeoutMs: 1.5 }, '/timeoutMs'],
  [{ timeoutMs: '5' }, '/timeoutMs'],
  [{ by: '' }, '/by'],
  [{ timeout: 5 }, '/timeout'],
  [[], ''],
])('A body that says something else is refused, and nothing done: %j.', async (body, field) => {
  const { app, batcher } = testApp();
  const response = await request(app).post('/v1/drain').send(body);
  expect([response.status, response.body.code]).toEqual([422, 'invalid-request']);
  expect(response.body.problems[0].field).toBe(field);
  expect(batcher.calls).toEqual([]);
});

test('The longest time that can be waited is ten minutes.', async () => {
  const { app, batcher } = testApp();
  await request(app).post('/v1/drain').send({ timeoutMs: 600_000 }).expect(200);
  await request(app).post('/v1/drain').send({ timeoutMs: 0 }).expect(200);
  expect(batcher.calls).toEqual(['drain(anonymous, 600000)', 'drain(anonymous, 0)']);
});

describe('Nobody waits for a drain any more', () => {
  /** A drain over a real connection, held up where the batcher would wait. */
  async function waitingDrain() {
    const { app, batcher, drain } = testApp();
    const release = batcher.hold();
    const { port, close } = await listen(app, { host: '127.0.0.1', port: 0 });
    const client = httpRequest({ host: '127.0.0.1', port, path: '/v1/drain', method: 'POST' });
    client.on('error', () => undefined);
    client.end();
    const { stillWanted } = await waitFor('the drain to be asked for', () => batcher.drainOptions);
    expect(stillWanted!()).toBe(true);
    const end = async () => {
      release();
      client.destroy();
      await close({ graceMs: 0 });
    };
    return { client, stillWanted: stillWanted!, drain, end };
  }

  test('once the client has gone.', async () => {
    const { client, stillWanted, end } = await waitingDrain();
    // A reset: whoever only ends its side may still read the answer.
    client.socket?.resetAndDestroy();
    await waitFor('the server to notice', () => !stillWanted());
    await end();
  });

  test('once this process is about to stop.', async () => {
    const { stillWanted, drain, end } = await waitingDrain();
    drain.on = true;
    expect(stillWanted()).toBe(false);
    await end();
  });
});
