import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import fc from 'fast-check';
import type { ApplicationFailure } from '@temporalio/common';
import { asFailure } from '../../activities/failure';
import { settleBatch } from '../../activities/settle-batch';
import { ROLLBACK_ATTEMPTS } from '../../src/contracts/workflow/activities';
import { KIB, MIB } from '../../src/domain/duration';
import { jsonBytes, utf8Bytes } from '../../src/domain/json';
import { OUTCOME, cutToBytes, withShortErrors, type RecordOutcome } from '../../src/domain/records/outcome';
import { createMemoryStore } from '../helpers/memory-store';

/** What takes the most: six bytes in JSON for one of UTF-8. */
const CONTROL = '\u0001';

const anyText = fc.string({ unit: 'binary', maxLength: 300 });

test('A text is cut to the longest beginning of whole characters that fits into a number of bytes in UTF-8.', () => {
  fc.assert(
    fc.property(anyText, fc.nat({ max: 400 }), (text, maxBytes) => {
      const cut = cutToBytes(text, maxBytes);
      expect(text.startsWith(cut)).toBe(true);
      expect(utf8Bytes(cut)).toBeLessThanOrEqual(maxBytes);
      const [next] = text.slice(cut.length);
      const whole = next === undefined ? '' : String.fromCodePoint(text.codePointAt(cut.length)!);
      if (cut !== text) expect(utf8Bytes(cut + whole)).toBeGreaterThan(maxBytes);
    }),
  );
});

test.each([
  ['ü'.repeat(300), 500, 'ü'.repeat(250)],
  ['😀😀', 7, '😀'],
  ['abc', 3, 'abc'],
  ['abc', 0, ''],
])('The text %j, cut to %d bytes, is %j.', (text, bytes, cut) => {
  expect(cutToBytes(text, bytes)).toBe(cut);
});

test('The error texts of an outcome are shortened to the given size of JSON, and unchanged if they fit.', () => {
  const anyOutcome = fc.record({
    error: fc.option(anyText, { nil: undefined }),
    rollbackError: fc.option(anyText, { nil: undefined }),
  });
  fc.assert(
    fc.property(anyOutcome, fc.integer({ min: 12, max: 1000 }), ({ error, rollbackError }, maxBytes) => {
      const outcome: RecordOutcome = {
        ...{ recordId: 'r:0', outcome: OUTCOME.rolledBack, attempts: 3, atMs: 7 },
        ...(error !== undefined && { error }),
        ...(rollbackError !== undefined && { rollbackError }),
      };
      const short = withShortErrors(outcome, maxBytes);
      const texts = ({ error: a, rollbackError: b }: RecordOutcome) =>
        [a, b].filter((text) => text !== undefined);
      const bytes = (of: RecordOutcome) => texts(of).reduce((sum, text) => sum + jsonBytes(text), 0);
      expect(bytes(short)).toBeLessThanOrEqual(maxBytes);
      if (bytes(outcome) <= maxBytes) expect(short).toEqual(outcome);
      expect(texts(short)).toHaveLength(texts(outcome).length);
      expect(short).toMatchObject({ recordId: 'r:0', outcome: OUTCOME.rolledBack, attempts: 3, atMs: 7 });
    }),
  );
});

describe('Settling a batch of a thousand records', () => {
  const records = Array.from({ length: 1000 }, (_, i) => ({ recordId: `${'r'.repeat(128)}:${i}`, value: i }));
  const batch = { batchId: 'b-00000001', openedAtMs: 0, flushReason: 'size' as const, records };
  const input = { batch, format: 'json' as const, reason: 'its workflow was terminated', atMs: 1 };

  test('G6: has a result that fits into a payload, even if each rollback fails with a different, long error.', async () => {
    const store = createMemoryStore();
    store.beforeRollback = ({ recordId }) => {
      throw new Error(recordId + CONTROL.repeat(10 * KIB));
    };
    const result = await settleBatch(store, input, ROLLBACK_ATTEMPTS);
    expect(result.outcomes).toHaveLength(1000);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(MIB);
    // The file says the same as the result.
    expect(store.outcomes().map(({ error }) => error)).toEqual(result.outcomes.map(({ error }) => error));
  });

  test("G6: has a result that fits into a payload, and doesn't change errors that are already published.", async () => {
    const store = createMemoryStore();
    const published = records.map((record) => ({
      ...{ ...record, outcome: OUTCOME.rolledBack, attempts: 3, atMs: 1 },
      error: CONTROL.repeat(1000),
    }));
    await store.closeBatch(batch, published, 'json');
    const result = await settleBatch(store, input, 1);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(MIB);
    expect(store.outcomes()).toEqual(published);
  });
});

describe('The failure of an activity', () => {
  const failureOf = (error: unknown): Promise<ApplicationFailure> =>
    new MockActivityEnvironment({ attempt: 2 }, { logger: new DefaultLogger('ERROR') }).run(() =>
      Promise.resolve(asFailure(error, 'save-failed', 2)),
    );

  /** All that is sent of a failure: messages and stack traces, those of its causes as well. */
  function sizeOf(error: unknown): number {
    if (!(error instanceof Error)) return 0;
    return utf8Bytes(error.message) + utf8Bytes(error.stack ?? '') + sizeOf(error.cause);
  }

  test('G6: is bounded in size, including stack traces and causes, whatever a store throws.', async () => {
    const long = 'ü'.repeat(2 * MIB);
    const thrown = [
      new Error(long),
      new Error('short', { cause: new Error(long) }),
      long,
      new Error(`a\n${long}`),
    ];
    for (const error of thrown) expect(sizeOf(await failureOf(error))).toBeLessThan(32 * KIB);
  });

  test('G6: is bounded in size even if its causes are endless or circular.', async () => {
    const circle = new Error('round');
    circle.cause = circle;
    let chain = new Error('first');
    for (let i = 0; i < 1000; i++) chain = new Error('x'.repeat(1000), { cause: chain });
    for (const error of [circle, chain]) expect(sizeOf(await failureOf(error))).toBeLessThan(32 * KIB);
  });

  test('keeps the stack trace of an error of usual length.', async () => {
    const cause = new Error('no luck');
    const failure = await failureOf(cause);
    expect(failure).toMatchObject({ message: 'no luck', type: 'save-failed', details: [{ attempt: 2 }] });
    expect(failure.cause).toMatchObject({ message: 'no luck', stack: cause.stack });
  });
});
