import fc from 'fast-check';
import { bufferedRecordId } from '../../src/domain/buffer/buffer';
import type { JsonValue } from '../../src/domain/json';
import { BufferModel, type Step } from '../helpers/buffer-model';

/* What an upsert by key may rely on: see "Records in Postgres" in docs/CONFIGURATION.md. */
const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(anyRecord(), { maxLength: 12 }).map((append) => ({ append })) },
    {
      weight: 4,
      arbitrary: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Infinity)).map((take) => ({ take })),
    },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 40 }).map((waitMs) => ({ waitMs })) },
    { weight: 1, arbitrary: fc.constantFrom<Step>('flush all', 'carry') },
  ),
  { maxLength: 20 },
);

function anyRecord(): fc.Arbitrary<JsonValue> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ sku: fc.constantFrom('A', 'B', 'C', 'D') }) },
    { weight: 1, arbitrary: fc.constantFrom<JsonValue>(1, 'no sku') },
  );
}

test('With a single rule {"distinct":…}, records of one key are in batches in order of acceptance.', () => {
  fc.assert(
    fc.property(anySteps, fc.integer({ min: 1, max: 5 }), (steps, maxBatchSize) => {
      const model = new BufferModel({ maxBatchSize, conflicts: [{ distinct: '/sku' }], flushIntervalMs: 10 });
      const accepted: string[] = [];
      const gone = new Map<string, string[]>();
      for (const step of steps) {
        const before = model.expected.length;
        if (typeof step === 'object' && 'take' in step) {
          for (const { records } of model.take(step.take)) {
            for (const record of records) {
              const key = JSON.stringify((record.value as { sku?: string }).sku ?? null);
              gone.set(key, [...(gone.get(key) ?? []), bufferedRecordId(record)]);
            }
          }
        } else model.run(step);
        accepted.push(...model.expected.slice(before).map(({ recordId }) => recordId));
      }
      for (const [key, ids] of gone) {
        const places = ids.map((id) => accepted.indexOf(id));
        if (key !== 'null') expect(places).toEqual([...places].sort((a, b) => a - b));
      }
    }),
    { numRuns: 150 },
  );
});
