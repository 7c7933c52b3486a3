import fc from 'fast-check';
import { OUTCOME, tallyOutcomes, type RecordOutcome } from '../../src/domain/records/outcome';
import {
  packBatch,
  packKept,
  packOutcomes,
  tallyPacked,
  unpackBatch,
  unpackOutcomes,
} from '../../src/domain/records/packed-batch';
import { recordIdOf } from '../../src/domain/records/record';

const anyRequestId = fc.constantFrom('a', 'a:1', 'urn:x:7', '');

const anyRecords = fc.array(
  fc.record({
    requestId: anyRequestId,
    index: fc.nat({ max: 5 }),
    value: fc.jsonValue() as fc.Arbitrary<never>,
  }),
  { maxLength: 12 },
);

test('G4: Unpacking a packed batch returns the same records in the same order.', () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const kept = records.map(({ requestId, index, value }) => ({
        recordId: recordIdOf(requestId, index),
        value,
      }));
      expect(unpackBatch(packBatch(records))).toEqual(kept);
      expect(packKept(kept)).toEqual(packBatch(records));
    }),
  );
});

test('Consecutive records of a request are packed as one run, and any other record starts a new run.', () => {
  const at = (requestId: string, index: number) => ({ requestId, index, value: index });
  expect(packBatch([at('a', 3), at('a', 4), at('b', 5), at('a', 5), at('a', 7)])).toEqual([
    ['a', 3, [3, 4]],
    ['b', 5, [5]],
    ['a', 5, [5]],
    ['a', 7, [7]],
  ]);
});

const anyOutcome = fc
  .record({
    outcome: fc.constantFrom(OUTCOME.saved, OUTCOME.rolledBack),
    attempts: fc.nat({ max: 3 }),
    error: fc.option(fc.constantFrom('full', 'away'), { nil: undefined }),
    rollbackError: fc.option(fc.constant('gone'), { nil: undefined }),
    atMs: fc.constantFrom(1, 2),
  })
  .map(({ error, rollbackError, ...rest }) => ({
    ...rest,
    ...(error !== undefined && { error }),
    ...(rollbackError !== undefined && { rollbackError }),
  }));

/** Batches of records with outcomes, with ids that no two of them share. */
const anyBatches = fc
  .array(fc.array(anyOutcome, { maxLength: 6 }), { maxLength: 5 })
  .map((batches) =>
    batches.map((outcomes, i) =>
      outcomes.map((one, j): RecordOutcome => ({ recordId: recordIdOf(`r${i}`, j), ...one })),
    ),
  );

test('G4: Unpacked outcomes belong to the right records, and each distinct outcome is written once.', () => {
  fc.assert(
    fc.property(anyBatches, (batches) => {
      const packed = JSON.parse(JSON.stringify(packOutcomes(batches))) as ReturnType<typeof packOutcomes>;
      for (const [i, outcomes] of batches.entries()) {
        const records = outcomes.map(({ recordId }) => ({ recordId, value: recordId }));
        expect(unpackOutcomes(packed, i, records)).toEqual(
          outcomes.map((outcome) => ({ ...outcome, value: outcome.recordId })),
        );
      }
      expect(new Set(packed.kinds.map((kind) => JSON.stringify(kind))).size).toBe(packed.kinds.length);
      expect(tallyPacked(packed)).toEqual(tallyOutcomes(batches.flat()));
    }),
  );
});

test('The packed outcomes of a thousand records with the same outcome take a few bytes each.', () => {
  const outcomes = Array.from({ length: 1000 }, (_, i): RecordOutcome => ({
    ...{ recordId: recordIdOf('r'.repeat(128), i), outcome: OUTCOME.rolledBack, attempts: 3, atMs: 1 },
    error: 'x'.repeat(500),
  }));
  expect(JSON.stringify(packOutcomes([outcomes])).length).toBeLessThan(3000);
});

test('G4: Unpacking fails if the outcome of a record is missing.', () => {
  const [outcome] = [{ recordId: 'r:0', outcome: OUTCOME.saved, attempts: 1, atMs: 0 }];
  const packed = packOutcomes([[outcome]]);
  const records = [{ recordId: 'r:0' }, { recordId: 'r:1' }];
  expect(() => unpackOutcomes(packed, 0, records)).toThrow('r:1 has no outcome');
  expect(() => unpackOutcomes(packed, 1, records)).toThrow('r:0 has no outcome');
});
