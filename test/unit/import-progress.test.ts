import { createImportState } from '../../src/cli/commands/import/import-progress';
import { SECOND } from '../../src/domain/duration';

test('What is shown is what was accepted, not what the connection holds, and the time left goes by it.', () => {
  const state = createImportState(1_000_000);
  state.sent(96_000, 960_000);
  expect(state.at(0)).toEqual({ share: undefined, text: '96,000 records sent' });
  let shown: ReturnType<typeof state.at> | undefined;
  for (let second = 0; second <= 10; second++) {
    state.accepted(second * 200, second * SECOND);
    shown = state.at(second * SECOND);
  }
  expect(shown).toEqual({ share: 0.02, text: '2,000 records accepted, 200/s, 8 min 10 s left' });
  state.sent(100_000, 1_000_000);
  state.accepted(100_000, 500 * SECOND);
  expect(state.at(500 * SECOND).share).toBe(1);
});

test('An API that accepts nothing more for a while is waited for.', () => {
  const state = createImportState(1000);
  state.sent(100, 1000);
  state.accepted(50, 0);
  state.at(0);
  expect(state.at(4 * SECOND).text).toBe('50 records accepted, 0/s');
  state.accepted(50, 4 * SECOND);
  expect(state.at(5 * SECOND)).toEqual({ share: 0.5, text: '50 records accepted, waiting for room' });
  state.accepted(100, 6 * SECOND);
  expect(state.at(12 * SECOND).text).not.toContain('waiting');
});

test('Of standard input no share is known.', () => {
  const state = createImportState(undefined);
  state.sent(1, 10);
  state.accepted(1, 0);
  expect(state.at(0)).toEqual({ share: undefined, text: '1 record accepted' });
});
