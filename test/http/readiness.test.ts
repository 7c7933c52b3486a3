import request from 'supertest';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { testApp } from './test-app';

test('Who asks whether it is ready is told since when the store is away, while it is.', async () => {
  const batcher = new FakeBatcherClient();
  batcher.storeAwaySince = '2026-01-31T23:59:58.000Z';
  const away = await request(testApp({ batcher }).app).get('/readyz').expect(200);
  expect(away.body).toEqual({ status: 'ready', storeAwaySince: '2026-01-31T23:59:58.000Z' });
  batcher.storeAwaySince = null;
  const back = await request(testApp({ batcher }).app).get('/readyz').expect(200);
  expect(back.body).toEqual({ status: 'ready' });
});
