import type { StoreNotice } from '../../src/contracts/workflow/store-notice';
import { MINUTE, SECOND } from '../../src/domain/duration';
import { StoreNotices, isStoreNotice } from '../../workflows/batcher/run/store-notices';

const away = (worker: string, reason = 'gone', sinceMs = 0): StoreNotice => ({
  worker,
  away: { sinceMs, reason },
});
const back = (worker: string): StoreNotice => ({ worker, away: null });

describe('Batches are held back', () => {
  test('from a notice that the store is away to one that it is back, and since when and why is known.', () => {
    const store = new StoreNotices();
    expect(store.status(0)).toBeNull();
    store.note(away('w', 'gone', 5), 10);
    expect(store.status(10)).toEqual({ sinceMs: 5, reason: 'gone', workers: 1, holdsBack: true });
    store.note(away('w', 'still gone', 7), 20);
    expect(store.status(20)).toMatchObject({ sinceMs: 5, reason: 'still gone' });
    store.note(back('w'), 30);
    expect(store.status(30)).toBeNull();
    expect(store.mayStartFromMs(30, 0)).toBe(30);
  });

  test('while any worker says so; the clock of none can set the beginning in the future.', () => {
    const store = new StoreNotices();
    store.note(away('a', 'gone', 99 * MINUTE), 10);
    store.note(away('b', 'no route'), 20);
    expect(store.status(20)).toMatchObject({ sinceMs: 0, reason: 'no route', workers: 2 });
    store.note(back('b'), 30);
    expect(store.status(30)).toMatchObject({ sinceMs: 10, reason: 'gone', holdsBack: true });
  });

  test('no longer than the notice is renewed: its worker may be gone; also across runs.', () => {
    const before = new StoreNotices();
    before.note(away('w'), 0);
    const store = new StoreNotices(before.pack());
    expect(store.holdsBack(99 * SECOND)).toBe(true);
    expect(store.holdsBack(100 * SECOND)).toBe(false);
    expect(store.status(100 * SECOND)).toBeNull();
    store.note(away('other'), 101 * SECOND);
    expect(store.pack()).toHaveLength(1);
  });

  test('but for one at growing times, which finds out whether it is only that worker.', () => {
    const store = new StoreNotices();
    let lastStartedAtMs = 0;
    const startsAtS: number[] = [];
    for (let nowMs = 0; nowMs < 30 * MINUTE; nowMs += SECOND) {
      if (nowMs % (30 * SECOND) === 0) store.note(away('w'), nowMs);
      if (store.mayStartFromMs(nowMs, lastStartedAtMs) > nowMs) continue;
      lastStartedAtMs = nowMs;
      startsAtS.push(nowMs / SECOND);
    }
    // As far apart as a notice lasts, in the end.
    expect(startsAtS.slice(0, 4)).toEqual([15, 30, 45, 68]);
    expect(startsAtS.length).toBeLessThan(25);
  });

  test('not while batches close all the same, by other workers.', () => {
    const store = new StoreNotices();
    store.noteClosed(5);
    store.note(away('w'), 10);
    expect(store.holdsBack(11)).toBe(true);
    store.noteClosed(20);
    expect(store.holdsBack(21)).toBe(false);
    expect(store.status(21)).toMatchObject({ holdsBack: false, workers: 1 });
    store.note(away('w'), 90 * SECOND);
    expect(store.holdsBack(100 * SECOND)).toBe(false);
    expect(store.holdsBack(150 * SECOND)).toBe(true);
  });
});

test('What is remembered is bounded, whoever sends it (G6).', () => {
  const store = new StoreNotices();
  for (let i = 0; i < 100; i++) store.note(away(`w${i}`, '☹'.repeat(10_000)), 0);
  expect(Buffer.byteLength(JSON.stringify(store.pack()))).toBeLessThan(8 * 1024);
});

test.each([
  undefined,
  null,
  'away',
  [],
  {},
  { worker: 'w' },
  { worker: '', away: null },
  { worker: 'x'.repeat(65), away: null },
  { worker: 7, away: null },
  { worker: 'w', away: 'yes' },
  { worker: 'w', away: { sinceMs: 'now', reason: 'x' } },
  { worker: 'w', away: { sinceMs: -1, reason: 'x' } },
  { worker: 'w', away: { sinceMs: 1e300 * 1e300, reason: 'x' } },
  { worker: 'w', away: { sinceMs: 1 } },
])('%j is no notice.', (message) => expect(isStoreNotice(message)).toBe(false));
