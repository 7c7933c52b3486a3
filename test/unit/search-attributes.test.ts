import fc from 'fast-check';
import { hashedId } from '../../src/domain/hashed-ids';
import {
  MORE_REQUEST_IDS,
  SEARCH_ATTRIBUTES,
  indexedRequestIds,
} from '../../src/contracts/workflow/search-attributes';

/** What Temporal takes as one search attribute's value (`frontend.searchAttributesSizeOfValueLimit`). */
const MAX_VALUE_BYTES = 2048;
const LONGEST_ID = 255;

/** One character over and over, which is quick to shrink; the characters take 1 to 6 bytes as JSON. */
const anyId = fc
  .tuple(
    fc.constantFrom('a', '"', 'é', '€', '🎈', '\u0001', '\ud800'),
    fc.integer({ min: 0, max: LONGEST_ID }),
  )
  .map(([character, length]) => character.repeat(length).slice(0, LONGEST_ID));
const anyIds = fc.oneof(
  fc.array(fc.oneof(fc.uuid(), anyId), { maxLength: 20 }),
  fc.array(fc.uuid(), { minLength: 45, maxLength: 60 }),
  fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 }),
);

function valueBytes(indexed: readonly string[]): number {
  return Buffer.byteLength(JSON.stringify(indexed));
}

test("The request ids of a batch fit into one search attribute, and a marker is added if some don't.", () => {
  fc.assert(
    fc.property(anyIds, (requestIds) => {
      const indexed = indexedRequestIds(requestIds);
      expect(valueBytes(indexed)).toBeLessThanOrEqual(MAX_VALUE_BYTES);

      const distinct = [...new Set(requestIds)];
      const marked = indexed.at(-1) === MORE_REQUEST_IDS;
      const kept = marked ? indexed.slice(0, -1) : indexed;
      expect(kept).toEqual(distinct.slice(0, kept.length));
      expect(marked).toBe(kept.length < distinct.length);
    }),
  );
});

test('A search attribute holds 52 generated request ids, or one of the largest size.', () => {
  const uuids = Array.from(
    { length: 100 },
    (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  );
  expect(indexedRequestIds(uuids.slice(0, 52))).toEqual(uuids.slice(0, 52));
  expect(indexedRequestIds(uuids.slice(0, 53))).toEqual([...uuids.slice(0, 52), MORE_REQUEST_IDS]);
  const largest = '\u0001'.repeat(LONGEST_ID);
  expect(indexedRequestIds([largest])).toEqual([largest]);
});

test('With a key, only hashes of request ids are in the search attribute, of which 58 have room.', () => {
  const idKey = 'ab'.repeat(32);
  const ids = Array.from({ length: 100 }, (_, i) => `order-${i}`);
  const indexed = indexedRequestIds(ids, idKey);
  expect(indexed).toEqual([...ids.slice(0, 58).map((id) => hashedId(idKey, id)), MORE_REQUEST_IDS]);
  expect(valueBytes(indexed)).toBeLessThanOrEqual(MAX_VALUE_BYTES);
});

test('There are no more search attributes of a type than a SQL visibility store offers by default.', () => {
  const keys = Object.values(SEARCH_ATTRIBUTES);
  expect(new Set(keys.map(({ name }) => name)).size).toBe(keys.length);
  const count = (type: string) => keys.filter((key) => key.type === type).length;
  expect(count('INT')).toBeLessThanOrEqual(3);
  expect(count('BOOL')).toBeLessThanOrEqual(3);
  expect(count('KEYWORD')).toBeLessThanOrEqual(10);
  expect(count('KEYWORD_LIST')).toBeLessThanOrEqual(3);
});
