import fc from 'fast-check';
import { conflicts } from '../../../src/domain/rules';
import { whyNever } from '../../../src/domain/rules/unmatchable';
import { fewJson, recordValue, shapedRule } from '../../helpers/arbitraries';

test('a rule of which it is said that it keeps no two records apart does not', () => {
  const unmatchable = shapedRule.filter((rule) => whyNever(rule) !== undefined);
  fc.assert(
    fc.property(unmatchable, fc.array(fc.oneof(recordValue, fewJson), { maxLength: 12 }), (rule, values) => {
      const broken = values.flatMap((a, i) => values.slice(i + 1).filter((b) => conflicts(a, b, [rule])));
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
