import { KIB } from '../../src/domain/duration';
import { HOLD_MS, createTaskSharing } from '../../workflows/batcher/run/sharing-tasks';

/** A look of the loop that found one small message and did nothing, unless it says otherwise. */
interface Found {
  atMs: number;
  messages?: number;
  bytes?: number;
  acted?: boolean;
}

/** For how long each look has the task held. */
function holdsOf(...looks: Found[]): number[] {
  let held = 0;
  let run = { messages: 0, historySize: 0 };
  const share = createTaskSharing((ms) => (held = ms));
  return looks.map(({ atMs, messages = 1, bytes = 500, acted = false }) => {
    held = 0;
    run = { messages: run.messages + messages, historySize: run.historySize + bytes };
    share({ ...run, acted }, atMs);
    return held;
  });
}

test('Of messages close on one another, the task of each but the first is held.', () => {
  expect(holdsOf({ atMs: 0 }, { atMs: 20 }, { atMs: 110, messages: 7 })).toEqual([0, HOLD_MS, HOLD_MS]);
});

test('Messages that come seldom are not held: nobody shares with them.', () => {
  expect(holdsOf({ atMs: 0 }, { atMs: 100 }, { atMs: 300 })).toEqual([0, 0, 0]);
});

test.each([
  ['brought no message', { messages: 0 }],
  ['brought much', { bytes: 32 * KIB }],
  ['did something that others wait for', { acted: true }],
])('A task that %s is not held.', (_, look) => {
  expect(holdsOf({ atMs: 0 }, { atMs: 20, ...look })).toEqual([0, 0]);
});

test('What one look did says nothing of the next.', () => {
  const looks = [{ atMs: 0, acted: true }, { atMs: 20, bytes: 64 * KIB }, { atMs: 40 }];
  expect(holdsOf(...looks)).toEqual([0, 0, HOLD_MS]);
});
