import fc from 'fast-check';
import { conflicts } from '../../../src/domain/rules';
import { whyUnmatchable } from '../../../src/domain/rules/unmatchable';
import { fewJson, recordValue, shapedRule } from '../../helpers/arbitraries';

test('A rule that is rejected as unmatchable keeps no two records apart.', () => {
  const unmatchable = shapedRule.filter((rule) => whyUnmatchable(rule) !== undefined);
  fc.assert(
    fc.property(unmatchable, fc.array(fc.oneof(recordValue, fewJson), { maxLength: 12 }), (rule, values) => {
      const broken = values.flatMap((a, i) => values.slice(i + 1).filter((b) => conflicts(a, b, [rule])));
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
