import { savesPerSecond } from '../../../src/config/parse-lists';
import { paceLimitsOf } from '../../../src/domain/pace/pace-limits';

test.each([
  ['0', { overall: undefined, perValue: undefined }],
  ['[]', { overall: undefined, perValue: undefined }],
  ['50', { overall: 50, perValue: undefined }],
  ['{"at":"/tenant","perSecond":10}', { overall: undefined, perValue: { at: '/tenant', perSecond: 10 } }],
  [
    '[{"at":"","perSecond":3},{"perSecond":100000}]',
    { overall: 100_000, perValue: { at: '', perSecond: 3 } },
  ],
])(
  'MAX_SAVES_PER_SECOND=%s is a rate for all records, one for each value, both or neither.',
  (text, limits) => {
    const parsed = savesPerSecond().parse(text);
    if (!('value' in parsed)) throw new Error(JSON.stringify(parsed));
    expect(paceLimitsOf(parsed.value)).toEqual(limits);
  },
);
