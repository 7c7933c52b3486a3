import fc from 'fast-check';
import { batchIdIn, childIdOf, childOfBatch, childSeqOf, placeInChild } from '../../src/domain/records/batch';
import { indexOf, recordIdOf, requestIdOf } from '../../src/domain/records/record';

test('The id of a record contains its request and index, and both can be parsed from it.', () => {
  expect(recordIdOf('a', 0)).toBe('a:0');
  expect(recordIdOf('urn:order:7', 12)).toBe('urn:order:7:12');
  const anyRequestId = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(':', '1', 'a') }),
  );
  fc.assert(
    fc.property(anyRequestId, fc.nat(), (requestId, index) => {
      const recordId = recordIdOf(requestId, index);
      expect(requestIdOf(recordId)).toBe(requestId);
      expect(indexOf(recordId)).toBe(index);
    }),
  );
});

test("G4: Two records never have the same id, even if the id of a request looks like the id of another request's record.", () => {
  const anyRequestId = fc.oneof(fc.string(), fc.constantFrom('a', 'a:1', 'a:1:1', ':', ''));
  const anyRecord = fc.tuple(anyRequestId, fc.nat({ max: 20 }));
  fc.assert(
    fc.property(anyRecord, anyRecord, (a, b) => {
      const same = a[0] === b[0] && a[1] === b[1];
      expect(recordIdOf(...a) === recordIdOf(...b)).toBe(same);
    }),
  );
});

test("The id of a child consists of its batcher's id and a sequence number of at least eight digits.", () => {
  expect(childIdOf('batcher-0', 1)).toBe('batcher-0-00000001');
  expect(childIdOf('batcher-0', 99_999_999)).toBe('batcher-0-99999999');
  expect(childIdOf('batcher-0', 100_000_000)).toBe('batcher-0-100000000');
});

test("The only batch of a child has the child's id; the ids of several batches end with their positions.", () => {
  expect(batchIdIn('batcher-0-00000001', 1, 1)).toBe('batcher-0-00000001');
  expect(batchIdIn('batcher-0-00000001', 1, 2)).toBe('batcher-0-00000001.001');
  expect(batchIdIn('batcher-0-00000001', 1000, 1000)).toBe('batcher-0-00000001.1000');
});

test('G4: Batch ids are unique and identify child and position, for any id of the batcher.', () => {
  const anyBatcher = fc.constantFrom('batcher-0', 'a.001-0', 'b-00000001.002-7', '.-0', 'x-1');
  const anyBatch = fc
    .tuple(anyBatcher, fc.integer({ min: 1, max: 100_000_001 }), fc.integer({ min: 1, max: 1200 }), fc.nat())
    .map(([batcher, seq, batches, place]) => ({ batcher, seq, batches, place: (place % batches) + 1 }));
  fc.assert(
    fc.property(anyBatch, anyBatch, (a, b) => {
      const idOf = ({ batcher, seq, place, batches }: typeof a) =>
        batchIdIn(childIdOf(batcher, seq), place, batches);
      expect(childOfBatch(idOf(a))).toBe(childIdOf(a.batcher, a.seq));
      expect(placeInChild(idOf(a))).toBe(a.place);
      expect(childSeqOf(childIdOf(a.batcher, a.seq))).toBe(a.seq);
      const sameChild = a.batcher === b.batcher && a.seq === b.seq;
      if (!sameChild || (a.batches === b.batches && a.place !== b.place)) expect(idOf(a)).not.toBe(idOf(b));
    }),
  );
});
