import { get, type IncomingMessage } from 'node:http';
import request from 'supertest';
import { unpackHistory } from '../../src/contracts/api/live-points';
import type { PackedHistory } from '../../src/contracts/api/answers/live';
import type { LiveEvent } from '../../src/contracts/api/live';
import { KeepapartError } from '../../src/domain/errors';
import { listen, type Listening } from '../../src/http/listen';
import { eventsIn } from '../helpers/documented-api';
import { waitFor } from '../helpers/wait-for';
import { statusWith } from '../ui/status';
import { testApp, type TestApp } from './test-app';

let system: TestApp;
let api: Listening;
const viewers: Viewer[] = [];
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.leave();
  await api.close({ graceMs: 0 });
});

async function start(overrides: Parameters<typeof testApp>[0] = {}): Promise<void> {
  system = testApp(overrides);
  api = await listen(system.app, { host: '127.0.0.1', port: 0 });
}

interface Viewer {
  answer: IncomingMessage;
  events(): LiveEvent[];
  /** What has arrived as it is. */
  text(): string;
  hasEnded(): boolean;
  leave(): void;
}

/** Receives events until it leaves. @param reads whether it takes what is sent */
async function view(query = '', headers: Record<string, string> = {}, reads = true): Promise<Viewer> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${api.url}/v1/events${query}`, { headers, agent: false }, resolve).on('error', reject);
  });
  let text = '';
  let hasEnded = false;
  if (reads) answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  answer.on('end', () => (hasEnded = true)).on('error', () => undefined);
  const viewer: Viewer = {
    answer,
    events: () => eventsIn(text.slice(0, text.lastIndexOf('\n\n') + 2)) as unknown as LiveEvent[],
    text: () => text,
    hasEnded: () => hasEnded,
    leave: () => answer.destroy(),
  };
  viewers.push(viewer);
  return viewer;
}

const received = (viewer: Viewer, count: number) =>
  waitFor(`${count} events`, () => Promise.resolve(viewer.events().length >= count && viewer.events()));

test('Whoever looks on gets the state once a second, with an id, what is waited for and a point for the plots.', async () => {
  await start();
  system.batcher.statusView = statusWith({ counters: { accepted: 10 }, oldestDueAgeMs: 70 });
  const viewer = await view();
  expect(viewer.answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  await received(viewer, 1);
  system.batcher.statusView = statusWith({ counters: { accepted: 30 } });
  const [first, second] = await received(viewer, 2);
  expect(first).toMatchObject({
    event: 'picture',
    data: {
      status: { total: { counters: { accepted: 10 } } },
      waits: system.batcher.waitsView,
      silent: [],
      point: { accepted: null, dueAgeMs: 70, waits: { older_records: 3 } },
    },
  });
  expect(second).toMatchObject({ data: { point: { accepted: expect.any(Number) } } });
  expect(first?.id).not.toBe(second?.id);
});

test('However many look on, the batchers are asked once for each picture, and not at all when nobody is left.', async () => {
  await start();
  const all = await Promise.all(Array.from({ length: 10 }, () => view()));
  await Promise.all(all.map((viewer) => received(viewer, 2)));
  const pictures = new Set(all.flatMap((viewer) => viewer.events().map(({ id }) => id)));
  expect(system.batcher.overviews).toBe(pictures.size);
  for (const viewer of all) viewer.leave();
  const left = await waitFor('the last picture', async () => {
    const before = system.batcher.overviews;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return before === system.batcher.overviews && { before };
  });
  expect(left.before).toBe(system.batcher.overviews);
});

test('After a reconnect the history begins behind the last event that was received.', async () => {
  await start();
  const first = await view();
  const events = await received(first, 2);
  const historyOf = async (headers: Record<string, string> = {}) => {
    const [event] = await received(await view('?history=hours', headers), 1);
    expect(event?.event).toBe('history');
    return unpackHistory(event?.data as unknown as PackedHistory);
  };
  const whole = await historyOf();
  expect(whole.seconds.length).toBeGreaterThan(1);
  expect(whole.sinceMs).toBeLessThanOrEqual(whole.seconds[0]?.atMs ?? 0);
  const rest = await historyOf({ 'Last-Event-ID': events[0]?.id ?? '' });
  expect(rest.seconds.map(({ atMs }) => atMs)).not.toContain(whole.seconds[0]?.atMs);
  expect(rest.seconds.map(({ atMs }) => atMs)).toContain(whole.seconds[1]?.atMs);
  // An id of a process that was there before says nothing of this one's history.
  const foreign = await historyOf({ 'Last-Event-ID': 'before-1' });
  expect(foreign.seconds[0]).toEqual(whole.seconds[0]);
});

test('While no batcher answers, pictures go on and say which are silent, without a state.', async () => {
  await start();
  system.batcher.failure = new KeepapartError('temporal-unavailable', 'No worker answers');
  const viewer = await view();
  const [, second] = await received(viewer, 2);
  expect(second).toMatchObject({ data: { status: null, silent: ['batcher-0'], asOfMs: null, point: null } });
});

test('When no picture can be taken, a heartbeat keeps the connection alive, and the log has the reason.', async () => {
  await start();
  jest.spyOn(system.batcher, 'overview').mockRejectedValue(new Error('a bug'));
  const viewer = await view();
  await waitFor('a heartbeat', () => Promise.resolve(viewer.text().includes(':\n\n')));
  expect(viewer.events()).toEqual([]);
  expect(system.logs.join('')).toContain('could not take a picture');
});

test('The stream ends when the process is about to stop, and nobody new is taken then.', async () => {
  await start();
  const viewer = await view();
  await received(viewer, 1);
  system.drain.on = true;
  await waitFor('the end of the stream', () => Promise.resolve(viewer.hasEnded()));
  const refused = await request(api.url).get('/v1/events').expect(503);
  expect(refused.body).toMatchObject({ code: 'not-ready' });
});

test('Beyond the limit of viewers another one is refused, and taken once somebody has left.', async () => {
  await start({ maxViewers: 2 });
  const [first] = [await view(), await view()];
  const refused = await request(api.url).get('/v1/events').expect(503);
  expect(refused.body).toMatchObject({ code: 'too-many-connections' });
  first.leave();
  await waitFor('room', async () => (await view()).answer.statusCode === 200);
});

test('A viewer that does not read gets the latest picture afterwards, and holds at most one that it has not taken.', async () => {
  await start();
  const filler = 'x'.repeat(1024 * 1024);
  system.batcher.waitsView = {
    shards: [{ shard: 0, batcher: filler, bufferedRecords: 0, waits: [], rules: [] }],
  };
  const slow = await view('', {}, false);
  slow.answer.pause();
  const fast = await view();
  const seen = await received(fast, 8);
  let text = '';
  slow.answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  slow.answer.resume();
  const events = () => eventsIn(text.slice(0, text.lastIndexOf('\n\n') + 2)) as unknown as LiveEvent[];
  const last = seen.at(-1)?.id ?? '';
  const number = (id: string) => Number(id.split('-')[1]);
  await waitFor('the latest', () => Promise.resolve(number(events().at(-1)?.id ?? '-0') >= number(last)));
  const numbers = events().map(({ id }) => number(id));
  expect(numbers.some((seq, i) => i > 0 && seq > (numbers[i - 1] ?? 0) + 1)).toBe(true);
});

test('HEAD is answered at once, and what is no history that can be asked for is refused.', async () => {
  await start();
  await request(api.url).head('/v1/events').expect(200);
  const refused = await request(api.url).get('/v1/events?history=years').expect(422);
  expect(refused.body).toMatchObject({ code: 'invalid-request', problems: [{ field: 'history' }] });
});

test('Requests that were refused since the last picture stand in the point, by their code.', async () => {
  const figures = [
    { refused: { 'buffer-full': 4 } as const, commit: { p50: 1, p95: 2, p99: 3 }, save: null },
  ];
  await start({
    figures: () => figures.shift() ?? { refused: { 'buffer-full': 5 }, commit: null, save: null },
  });
  const viewer = await view();
  const [first, second] = await received(viewer, 2);
  expect(first).toMatchObject({ data: { point: { refused: {}, commit: { p99: 3 }, save: null } } });
  expect(second).toMatchObject({ data: { point: { refused: { 'buffer-full': expect.any(Number) } } } });
});
