import { StoreGate, type Wait } from '../../activities/store-gate';
import { KeepapartError } from '../../src/domain/errors';
import { isStoreAway } from '../../src/domain/records/store-away';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const untilReleased: Wait = (_, released) => released;
const errno = (code: string) => Object.assign(new Error(code), { code });
const gone = () => errno('ECONNREFUSED');

function gate() {
  const told: string[] = [];
  const opened = new StoreGate({
    onAway: ({ reason }) => told.push(`away: ${reason}`),
    onBack: (isKnown) => told.push(isKnown ? 'back' : 'nobody waits'),
  });
  return { told, pass: <T>(call: () => Promise<T>, wait = untilReleased) => opened.pass(call, wait) };
}

describe('A gate to a store', () => {
  test('asks one that is away again after a pause that doubles up to half a minute, by one call at a time, and lets all go when it is back.', async () => {
    const { told, pass } = gate();
    let away = true;
    const askedAtMs: number[] = [];
    const startedAtMs = Date.now();
    const call = () => {
      askedAtMs.push(Math.round((Date.now() - startedAtMs) / 1000));
      return away ? Promise.reject(gone()) : Promise.resolve('saved');
    };
    const first = pass(call);
    await jest.advanceTimersByTimeAsync(0);
    const others = [1, 2, 3].map(() => pass(call));
    await jest.advanceTimersByTimeAsync(100_000);
    expect(askedAtMs).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    away = false;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await Promise.all([first, ...others])).toEqual(['saved', 'saved', 'saved', 'saved']);
    expect(told).toEqual(['away: ECONNREFUSED', 'back']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves a store that is away alone for as long as it asks for, up to ten minutes.', async () => {
    const { pass } = gate();
    const askedForMs = [20_000, 3_600_000];
    const startedAtMs = Date.now();
    const askedAtMs: number[] = [];
    const saved = pass(() => {
      askedAtMs.push(Date.now() - startedAtMs);
      const retryAfterMs = askedForMs.shift();
      if (retryAfterMs === undefined) return Promise.resolve('saved');
      return Promise.reject(new KeepapartError('store-away', 'under repair', { retryAfterMs }));
    });
    await jest.advanceTimersByTimeAsync(20_000 + 600_000);
    expect(await saved).toBe('saved');
    expect(askedAtMs).toEqual([0, 20_000, 620_000]);
  });

  test('takes calls that were under way when the store went for one failure.', async () => {
    const { told, pass } = gate();
    let calls = 0;
    const call = () => (calls++ < 50 ? Promise.reject(gone()) : Promise.resolve());
    const all = Array.from({ length: 50 }, () => pass(call));
    await jest.advanceTimersByTimeAsync(1000);
    await Promise.all(all);
    expect(calls).toBe(100);
    expect(told).toEqual(['away: ECONNREFUSED', 'back']);
  });

  test('passes on what a record is refused with, upon which the store is known to be back (G9).', async () => {
    const { told, pass } = gate();
    let calls = 0;
    const refused = pass(() =>
      Promise.reject(calls++ === 0 ? gone() : new KeepapartError('record-rejected', 'too odd')),
    ).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1000);
    expect(await refused).toMatchObject({ code: 'record-rejected' });
    expect(told).toEqual(['away: ECONNREFUSED', 'back']);
  });

  test('lets a call fail that finds the store away three times while others succeed (G9).', async () => {
    const { pass } = gate();
    let calls = 0;
    const alone = pass(() => {
      calls++;
      return Promise.reject(errno('ENOSPC'));
    }).catch((error: unknown) => error);
    for (let i = 0; i < 6; i++) {
      void pass(() => Promise.resolve());
      await jest.advanceTimersByTimeAsync(30_000);
    }
    expect(await alone).toMatchObject({ code: 'ENOSPC' });
    expect(calls).toBeGreaterThan(3);
  });

  test('never stays closed without anybody who waits, and asks another where one gives up.', async () => {
    const { told, pass } = gate();
    let giveUp: (error: Error) => void = () => undefined;
    const given = pass(
      () => Promise.reject(gone()),
      () => new Promise<never>((_, reject) => (giveUp = reject)),
    ).catch((error: unknown) => String(error));
    await jest.advanceTimersByTimeAsync(0);
    giveUp(new Error('stopped'));
    expect(await given).toBe('Error: stopped');
    expect(told).toEqual(['away: ECONNREFUSED', 'nobody waits']);
    expect(await pass(() => Promise.resolve('saved'))).toBe('saved');
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('An error', () => {
  test.each([
    ['of a connection', gone()],
    ['of a full disk', errno('ENOSPC')],
    ['as the cause of a failure', new KeepapartError('save-failed', 'no', { cause: errno('EROFS') })],
    ['behind one of a library', new TypeError('fetch failed', { cause: errno('EAI_AGAIN') })],
    ['of every address of a host', new AggregateError([gone(), gone()])],
    ['of a store that says so', new KeepapartError('store-away', 'maintenance')],
  ])('%s says that the store as a whole is away.', (_, error) => expect(isStoreAway(error)).toBe(true));

  test.each([
    ['of a record alone', new Error('no luck')],
    ['that is injected by SAVE_FAILURE_RATE', new KeepapartError('save-failed', 'on purpose')],
    ['that is final, whatever its cause', new KeepapartError('record-rejected', 'no', { cause: gone() })],
    ['that is too large a file', errno('EFBIG')],
    ['that is no error', 'ECONNREFUSED'],
  ])('%s does not.', (_, error) => expect(isStoreAway(error)).toBe(false));
});
