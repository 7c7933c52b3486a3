import fc from 'fast-check';
import { isKnowableRequestId } from '../../src/contracts/workflow/ids';
import { recordIdOf } from '../../src/domain/records/record';
import { isRedriveId, redriveIdOf, redriveOf } from '../../src/domain/redrive';

/** As clients may name requests: never like a redrive. */
const anyRequestId = fc
  .oneof(
    fc.stringMatching(/^([\w-]{1,32}~)?[A-Za-z0-9][\w.:-]{0,127}$/),
    fc.constantFrom('abc', 'a:1', 'redrive-1', 'redrive-x.a'),
  )
  .filter((requestId) => !isRedriveId(requestId));
const anyRecordId = fc.tuple(anyRequestId, fc.nat({ max: 10_000_000 })).map((parts) => recordIdOf(...parts));

test('A redrive is a request whose id names the original record, also when its record is redriven again.', () => {
  expect(redriveIdOf('abc:3')).toBe('redrive-1.abc:3');
  expect(redriveIdOf('redrive-1.abc:3:0')).toBe('redrive-2.abc:3');
  expect(redriveIdOf('redrive-9.abc:3:0')).toBe('redrive-10.abc:3');
  expect(redriveIdOf('urn:order:7:12')).toBe('redrive-1.urn:order:7:12');
});

test('The id of a redrive identifies the original record, and redrives of a redrive identify the same record.', () => {
  fc.assert(
    fc.property(anyRecordId, fc.integer({ min: 1, max: 12 }), (original, times) => {
      const seen = new Set<string>();
      let recordId = original;
      for (let i = 0; i < times; i++) {
        const requestId = redriveIdOf(recordId);
        expect(isRedriveId(requestId)).toBe(true);
        expect(redriveOf(requestId)).toBe(original);
        expect(isKnowableRequestId(requestId)).toBe(true);
        seen.add(requestId);
        recordId = recordIdOf(requestId, 0);
      }
      expect(seen.size).toBe(times);
    }),
  );
});

test('G4: Two dead letters are never redriven as the same request.', () => {
  const record = fc.oneof(
    anyRecordId,
    anyRecordId.map((recordId) => recordIdOf(redriveIdOf(recordId), 0)),
  );
  fc.assert(
    fc.property(record, record, (a, b) => {
      expect(redriveIdOf(a) === redriveIdOf(b)).toBe(a === b);
    }),
  );
});

test.each(['abc', 'redrive-', 'redrive-1', 'redrive-x.abc:3', 'Redrive-1.abc:3', 'a.redrive-1.abc:3'])(
  'a client may call a request so, as no redrive is called so: %s.',
  (requestId) => {
    expect(isRedriveId(requestId)).toBe(false);
    expect(redriveOf(requestId)).toBeNull();
  },
);

test('An id that no request can have is not looked up, even if it starts like a valid one.', () => {
  expect(isKnowableRequestId('x'.repeat(128))).toBe(true);
  expect(isKnowableRequestId('x'.repeat(129))).toBe(false);
  expect(isKnowableRequestId(`redrive-1.it's`)).toBe(false);
  expect(isKnowableRequestId(`redrive-1.${'x'.repeat(190)}`)).toBe(true);
  expect(isKnowableRequestId(`redrive-1.${'x'.repeat(191)}`)).toBe(false);
});
