import fc from 'fast-check';
import { isKeepapartError } from '../../src/domain/errors';
import { jsonBytes, type JsonValue } from '../../src/domain/json';
import { recordListSchema, recordsReader } from '../../src/edge/records';
import { anyJson } from '../helpers/arbitraries';

const LIMITS = { maxRecordBytes: 40, maxRequestBytes: 1000, maxRequestRecords: 6 };

function refusal(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (isKeepapartError(error)) return error.code;
    throw error;
  }
}

/** Up to seven of anything, deep enough in some to be refused. */
const anyList = fc.array(
  fc.oneof(
    { arbitrary: fc.integer(), weight: 4 },
    { arbitrary: anyJson, weight: 2 },
    { arbitrary: fc.integer({ min: 25, max: 40 }).map(nested), weight: 1 },
  ),
  { maxLength: 7 },
);

function nested(levels: number): JsonValue {
  let value: JsonValue = 0;
  for (let i = 0; i < levels; i++) value = { '': value };
  return value;
}

test('The fast check of the reader accepts exactly the lists that the schema accepts, and counts their bytes.', () => {
  const limits = { ...LIMITS, maxRecordBytes: 190 };
  const [read, schema] = [recordsReader(limits), recordListSchema(limits)];
  fc.assert(
    fc.property(anyList, (list) => {
      const fine = schema.safeParse(list).success;
      const expected = {
        values: list,
        bytes: list.reduce<number>((sum, value) => sum + jsonBytes(value), 0),
      };
      expect(refusal(() => expect(read(list)).toEqual(expected))).toBe(fine ? undefined : 'invalid-request');
    }),
    { numRuns: 2000 },
  );
});

test('The size of a list is exactly that of its compact JSON.', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.string()), { minLength: 1, maxLength: 6 }), (list) => {
      const bytes = jsonBytes(list);
      const limits = { ...LIMITS, maxRecordBytes: 1000 };
      expect(refusal(() => recordsReader({ ...limits, maxRequestBytes: bytes })(list))).toBeUndefined();
      expect(refusal(() => recordsReader({ ...limits, maxRequestBytes: bytes - 1 })(list))).toBe(
        'request-too-large',
      );
    }),
  );
});
