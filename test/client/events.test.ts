import { KeepapartClient, KeepapartUnreachableError, type LiveEvent } from '../../src/client';
import { listen, type Listening } from '../../src/http/listen';
import { testApp, type TestApp } from '../http/test-app';

let system: TestApp;
let api: Listening;
beforeEach(async () => {
  system = testApp();
  api = await listen(system.app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => api.close({ graceMs: 0 }));

test('The client receives a picture each second, and the history with its points as objects where it asks for it.', async () => {
  const client = new KeepapartClient({ url: api.url });
  const events: LiveEvent[] = [];
  for await (const event of client.events({ history: 'minutes' })) if (events.push(event) === 3) break;
  expect(events.map(({ event }) => event)).toEqual(['history', 'picture', 'picture']);
  expect(events[1]).toMatchObject({ data: { status: system.batcher.statusView } });
  for await (const event of client.events({ history: 'minutes', lastEventId: events[1]?.id })) {
    expect(event).toMatchObject({ event: 'history', data: { seconds: [{ buffered: 0 }] } });
    break;
  }
});

test('A refusal is thrown as one, the end of the API as an API that can not be reached, and an aborted signal as its reason.', async () => {
  const client = new KeepapartClient({ url: api.url });
  const next = (options: Parameters<typeof client.events>[0] = {}) => client.events(options).next();
  await expect(next({ history: 'years' as 'none' })).rejects.toMatchObject({ code: 'invalid-request' });
  await expect(next({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  const events = client.events();
  await events.next();
  await api.close({ graceMs: 0 });
  await expect(
    (async () => {
      for await (const event of events) expect(event.event).toBe('picture');
    })(),
  ).rejects.toBeInstanceOf(KeepapartUnreachableError);
});
