import { KIB } from '../../src/domain/duration';
import { HOLD_MS, createTaskSharing, type Look } from '../../workflows/sharing-tasks';

const MESSAGE: Look = { messages: 1, bytes: 500, asksFirst: false, acted: false };

/** For how long each look, at its time, holds the task. */
function holdsOf(...looks: [atMs: number, look: Partial<Look>][]): number[] {
  let held = 0;
  const share = createTaskSharing((ms) => (held = ms));
  return looks.map(([atMs, look]) => {
    held = 0;
    share({ ...MESSAGE, ...look }, atMs);
    return held;
  });
}

test('Of messages close on one another, the task of each but the first is held.', () => {
  expect(holdsOf([0, {}], [20, {}], [110, { messages: 7 }])).toEqual([0, HOLD_MS, HOLD_MS]);
});

test('Messages that come seldom are not held: nobody shares with them.', () => {
  expect(holdsOf([0, {}], [100, {}], [300, {}])).toEqual([0, 0, 0]);
});

test.each([
  ['brought no message', { messages: 0 }],
  ['brought much', { bytes: 32 * KIB }],
  ['did something that others wait for', { acted: true }],
  ['brought messages of somebody who asks first', { asksFirst: true }],
])('A task that %s is not held.', (_, look) => {
  expect(holdsOf([0, {}], [20, look])).toEqual([0, 0]);
});

test('What a task does besides says nothing of the next.', () => {
  expect(holdsOf([0, { acted: true }], [20, { asksFirst: true }], [40, {}])).toEqual([0, 0, HOLD_MS]);
});
