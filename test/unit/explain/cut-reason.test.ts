import fc from 'fast-check';
import { appendRequest, emptyBuffer, flushAll, inOrder } from '../../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../../src/domain/rules';
import { explainBatches } from '../../../src/domain/explain';
import {
  MAX_CHECKED,
  MAX_LISTED_RULES,
  restoredReason,
  storedReason,
  withReasons,
  type CutReason,
  type ExplainedFlush,
} from '../../../src/domain/explain/cut-reason';
import { cutText } from '../../../src/domain/explain/cut-text';
import { MAX_BATCH_BYTES } from '../../../src/domain/buffer/flush-cut';
import { takeFlushes, type FlushPolicy } from '../../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../../src/domain/json';
import { anyPolicy, anyStep, BufferModel } from '../../helpers/buffer-model';

/** Takes batches out of a buffer as a batcher does. */
function take({ buffer, policy, nowMs }: Pick<BufferModel, 'buffer' | 'policy' | 'nowMs'>, limit: number) {
  return withReasons(takeFlushes(buffer, policy, nowMs, limit), buffer, policy, nowMs);
}

test('The reason of a partial batch agrees with an explanation of the batch and the remaining records.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 20 }), fc.nat(4), (policy, steps, limit) => {
      const model = new BufferModel(policy);
      for (const step of steps) model.run(step);
      model.run('flush all');
      const flushes = take(model, limit);
      const left = inOrder(model.buffer);
      const { conflicts: rules, maxBatchSize } = model.policy;
      const cuts = [...flushes.map(({ records }) => records), ...(left.length > 0 ? [left] : [])];
      const { batches } = explainBatches(cuts, { rules, maxBatchSize, lowerBound: 0 });
      for (const [i, { records, cut }] of flushes.entries()) {
        const { why, left: behind, keptOut, tooLarge, fitting } = batches[i]!;
        expect(cut === undefined).toBe(records.length === maxBatchSize);
        if (cut === undefined) continue;
        const told = keptOut.map((count) => ({ ...count, rule: rules[count.rule] }));
        expect(cut).toMatchObject({ why, left: behind, unseen: 0, keptOut: told, tooLarge, fitting });
        expect(cut.oldestMs).toBe(model.nowMs - Math.min(...records.map((record) => record.acceptedAtMs)));
        expect(restoredReason(storedReason(cut, rules), rules)).toEqual(cut);
      }
    }),
    { numRuns: 300 },
  );
});

/** The first batch of some values that are all to go, of at most three. */
function first(values: JsonValue[], conflicts: ConflictRule[], limit = 1): ExplainedFlush {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'r', values }, 0);
  flushAll(buffer, 'manual');
  const policy: FlushPolicy = { maxBatchSize: 3, conflicts, flushIntervalMs: 100 };
  return take({ buffer, policy, nowMs: 70 }, limit)[0]!;
}

test('Only a part of a long buffer is checked for a reason, and the reason stays small.', () => {
  const rules = Array.from({ length: 30 }, (_, i): ConflictRule => ({ distinct: `/${i}` }));
  const same = Object.fromEntries(rules.map((_, i) => [i, 'same']));
  const { cut } = first(
    Array.from({ length: 1000 }, () => same),
    rules,
  );
  const told = rules.slice(0, MAX_LISTED_RULES).map((rule) => ({ rule, records: MAX_CHECKED }));
  expect(cut).toEqual({
    ...{ why: 'rules', oldestMs: 70, left: 999, unseen: 999 - MAX_CHECKED, tooLarge: 0, fitting: 0 },
    keptOut: told,
  });
});

test('A reason lists the rules that kept out most records, in the order of the rules.', () => {
  const rules = Array.from({ length: 22 }, (_, i): ConflictRule => ({ pair: [0, i + 1] }));
  const values = [0, ...rules.map((_, i) => i + 1), 22, 22, 1];
  const { cut } = first(values, rules);
  expect(cut?.keptOut).toHaveLength(MAX_LISTED_RULES);
  expect([cut?.keptOut[0], cut?.keptOut.at(-1)]).toEqual([
    { rule: rules[0], records: 2 },
    { rule: rules[21], records: 3 },
  ]);
});

test("A rule that is not in the child's input is left out of the stored reason.", () => {
  const rules: ConflictRule[] = [{ pair: [1, 2] }];
  const { cut } = first([1, 2], rules);
  expect(storedReason(cut!, [])).toMatchObject({ why: 'rules', keptOut: [] });
  expect(storedReason(cut!, rules)).toMatchObject({ keptOut: [{ rule: 0, records: 1 }] });
});

const reason: CutReason = {
  ...{ why: 'rules', oldestMs: 1002, left: 3, unseen: 0, tooLarge: 0, fitting: 0 },
  keptOut: [],
};
const PAIR: ConflictRule = { pair: [1, 2] };

test.each<[string, 'age' | 'manual' | 'drain', Partial<CutReason>]>([
  ['its oldest record had waited 1002 ms, and all 3 remaining records conflict with it', 'age', {}],
  [
    'its oldest record had waited 1002 ms, and the remaining record conflicts with it; {"pair":[1,2]} kept out 1',
    'age',
    { left: 1, keptOut: [{ rule: PAIR, records: 1 }] },
  ],
  ['it was flushed manually, and no other record was buffered', 'manual', { why: 'nothing_left', left: 0 }],
  [
    'it was flushed by a drain, and 2 of 256 checked of 900 remaining records would have fitted but went to other batches; 1 would make it too large in bytes',
    'drain',
    { why: 'spread', left: 900, unseen: 644, fitting: 2, tooLarge: 1 },
  ],
  [
    'its oldest record had waited 1002 ms, and of 3 remaining records, 2 would make it too large in bytes, and the others conflict with it',
    'age',
    { why: 'bytes', tooLarge: 2 },
  ],
])('A reason is described as: %s', (words, flushReason, of) => {
  expect(cutText({ records: 1, maxBatchSize: 5, flushReason }, { ...reason, ...of })).toBe(
    `1 of 5 records: ${words}`,
  );
});

test('The reason of a batch that is limited by its size in bytes says so.', () => {
  const large = 'x'.repeat(0.6 * MAX_BATCH_BYTES);
  expect(first([large, large], [], 1).cut).toMatchObject({ why: 'bytes', left: 1, tooLarge: 1, fitting: 0 });
});
