import fc from 'fast-check';
import type { ConflictRule } from '../../../src/domain/rules';
import { classify } from '../../../src/domain/partition/graph/classes';
import { cutClasses } from '../../../src/domain/partition/cut-classes';
import { partsBy, slotOfAll } from '../../../src/domain/partition/exact/parts';
import { partition } from '../../../src/domain/partition';
import type { JsonValue } from '../../../src/domain/json';
import { createRandom } from '../../chaos/random';
import { recordsOf } from '../../helpers/arbitraries';
import { exactPartition } from '../../helpers/exact-partition';

const tenant = fc.constantFrom<JsonValue[]>({ tenant: 1 }, { tenant: 2 }, { tenant: null }, {}, 7);

describe('partition of records that have to be alike', () => {
  test('finds the fewest batches, each in turn the oldest possible, as an exhaustive search does', () => {
    fc.assert(
      fc.property(
        fc.array(tenant, { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (values, maxBatchSize) => {
          const rules: ConflictRule[] = [{ alike: '/tenant' }];
          const buffer = recordsOf(values);
          const { batches, lowerBound } = partition(buffer, { rules, maxBatchSize });
          const exact = exactPartition(values, rules, maxBatchSize);
          expect(batches.map((batch) => batch.map((record) => buffer.indexOf(record)))).toEqual(exact.oldest);
          expect(lowerBound).toBe(exact.fewest);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('needs, of each tenant, the larger of what its records and its most frequent id need, and proves it', () => {
    const rules: ConflictRule[] = [{ alike: '/tenant' }, { distinct: '/id' }];
    const random = createRandom(3);
    const values = Array.from({ length: 3000 }, () => ({
      tenant: random.integer(0, 200),
      id: random.integer(0, 6),
    }));
    let needed = 0;
    for (let each = 0; each < 200; each++) {
      const own = values.filter((value) => value.tenant === each);
      const ofIds = [0, 1, 2, 3, 4, 5].map((id) => own.filter((value) => value.id === id).length);
      needed += Math.max(Math.ceil(own.length / 4), ...ofIds);
    }
    const { batches, lowerBound, isProved } = partition(recordsOf(values), { rules, maxBatchSize: 4 });
    expect([batches.length, lowerBound, isProved]).toEqual([needed, needed, true]);
  });

  test('needs, of each tenant, what both values of a pair need, and proves it', () => {
    const rules: ConflictRule[] = [{ alike: '/tenant' }, { pair: [1, 2], at: '/id' }];
    const random = createRandom(4);
    const values = Array.from({ length: 3000 }, () => ({
      tenant: random.integer(0, 200),
      id: random.integer(0, 4),
    }));
    let needed = 0;
    for (let each = 0; each < 200; each++) {
      const own = values.filter((value) => value.tenant === each);
      const of = (id: number) => Math.ceil(own.filter((value) => value.id === id).length / 4);
      needed += Math.max(Math.ceil(own.length / 4), of(1) + of(2));
    }
    const { batches, lowerBound, isProved } = partition(recordsOf(values), { rules, maxBatchSize: 4 });
    expect([batches.length, lowerBound, isProved]).toEqual([needed, needed, true]);
  });

  test('gives batches of all tenants in the order of their oldest records (G7)', () => {
    const values = [2, 1, 2, 1, 2, 1].map((each, id) => ({ tenant: each, id: id % 2 }));
    const { batches } = partition(recordsOf(values), {
      rules: [{ alike: '/tenant' }, { distinct: '/id' }],
      maxBatchSize: 2,
    });
    expect(batches.map(([first]) => first?.recordId)).toEqual(
      [...batches.keys()].map((each) => `request:${each}`),
    );
  });

  test('takes each tenant by itself, without what only others conflict with', () => {
    const values = ['a', 'a', 'b', 'b'].map((each, at) => ({ tenant: each, id: [1, 2, 1, 1][at]! }));
    const rules: ConflictRule[] = [{ alike: '/tenant' }, { pair: [1, 2], at: '/id' }];
    const classes = classify(recordsOf(values), rules);
    const parts = partsBy(classes, slotOfAll(classes)!);
    expect(parts.map(({ records }) => [...records])).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(parts.map((part) => part.classes.constraints.items.length)).toEqual([2, 0]);
    expect(cutClasses(classes, 5).batches).toEqual([[0], [1], [2, 3]]);
  });

  test('takes no slot for one of all records when one of them is not in it', () => {
    const values = [{ tenant: 1, region: 1 }, { tenant: 2, region: 1 }, { tenant: 2 }];
    expect(slotOfAll(classify(recordsOf(values), [{ alike: '/tenant', same: '/region' }]))).toBeUndefined();
  });
});
