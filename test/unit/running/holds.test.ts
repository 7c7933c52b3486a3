import fc from 'fast-check';
import { Holds, holdOf, WHOLE_PLACE, type Hold } from '../../../src/domain/running/holds';
import { PlacesAhead, TakenPlaces } from '../../../src/domain/running/taken-places';
import { conflictingRules } from '../../../src/domain/rules';
import { conflictRules, recordValue } from '../../helpers/arbitraries';

/** The index of the rule that a hold comes from. */
const ruleOf = ({ place }: Hold) => parseInt(place, 10);

const collide = (a: Hold, b: Hold) => a.place === b.place && (a.side !== b.side || a.side === WHOLE_PLACE);

test('Two records conflict exactly if their holds do, under the same rules.', () => {
  fc.assert(
    fc.property(conflictRules, recordValue, recordValue, (rules, a, b) => {
      const holds = new Holds(rules);
      const [ofA, ofB] = [holds.of({ value: a }), holds.of({ value: b })];
      const broken = ofA.filter((hold) => ofB.some((other) => collide(hold, other))).map(ruleOf);
      expect(broken).toEqual(conflictingRules(a, b, rules));
    }),
    { numRuns: 500 },
  );
});

test('A hold can be parsed from its key, also in another process, and keys are short.', () => {
  fc.assert(
    fc.property(conflictRules, fc.array(recordValue, { maxLength: 5 }), (rules, values) => {
      const records = values.map((value) => ({ value }));
      const [here, there] = [
        new Holds(rules).ofAll(records),
        new Holds(structuredClone(rules)).ofAll(records),
      ];
      expect(here).toEqual(there);
      for (const hold of here) {
        expect(holdOf(hold.key)).toEqual(hold);
        expect(hold.key).toMatch(/^\d+(\.[0-9a-z]{1,7})?(:(\d+|=[^ :@]{0,300}))?$/);
      }
      expect(new Set(here.map(({ key }) => key)).size).toBe(here.length);
    }),
  );
});

test('A record with a very long side holds the whole place, also against records on the same side.', () => {
  const holds = new Holds([{ alike: '/tenant' }]);
  const long = { value: { tenant: 'x'.repeat(200) } };
  const [own] = holds.of(long);
  const [short] = holds.of({ value: { tenant: 'x' } });
  expect(own).toEqual({ place: '0', side: WHOLE_PLACE, key: '0' });
  expect(collide(own!, own!)).toBe(true);
  expect(collide(short!, own!)).toBe(true);
  expect(collide(short!, short!)).toBe(false);
});

const anyHold = fc
  .record({ place: fc.constantFrom('0', '1', '2'), side: fc.integer({ min: -1, max: 2 }) })
  .map((hold) => ({ ...hold, key: '' }));

test("Taken places conflict exactly with holds that can't share them, until they are given back.", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyHold, fc.boolean())), anyHold, (takes, asked) => {
      const taken = new TakenPlaces();
      for (const [hold] of takes) taken.take(hold);
      for (const [hold, back] of takes) if (back) taken.giveBack(hold);
      const left = takes.flatMap(([hold, back]) => (back ? [] : [hold]));
      expect(taken.conflictsWith(asked)).toBe(left.some((hold) => collide(hold, asked)));
    }),
    { numRuns: 300 },
  );
});

test('Older records let a record leave exactly if none that leaves conflicts with it, and none that stays would wait because of it.', () => {
  fc.assert(
    fc.property(fc.array(anyHold), (holds) => {
      const ahead = new PlacesAhead();
      const going: Hold[] = [];
      const staying: Hold[] = [];
      for (const [i, hold] of holds.entries()) {
        const beside = going.some(({ place, side }) => place === hold.place && side === hold.side);
        const lets =
          !going.some((other) => collide(other, hold)) &&
          (beside || !staying.some((other) => collide(other, hold)));
        expect(ahead.lets([hold])).toBe(lets);
        // Something else may hold it back.
        const goes = lets && i % 3 !== 0;
        ahead.add([hold], goes);
        (goes ? going : staying).push(hold);
      }
    }),
    { numRuns: 500 },
  );
});
