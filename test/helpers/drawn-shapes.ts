import type { ConflictRule, Selector } from '../../src/domain/rules';
import type { Random } from '../chaos/random';
import type { Shape } from './partition-shapes';

/** What `keepapart` accepts as a setting. */
const MAX_RULE_BYTES = 64 * 1024;

/** One member of the records: how many values it has, and how they are spread. */
export interface Member {
  /** How many different values; with `perRecord`, how many records there are for each. */
  values: number;
  perRecord: boolean;
  /** 1 for all values alike; the higher, the more records have a small one. */
  skew: number;
}

/** Rules and records as data, so that a shape can be drawn, changed a little, printed and kept. */
export interface DrawnShape {
  maxBatchSize: number;
  /** Of the members `0`, `1`, `2` … */
  members: Member[];
  /** Several rules that came of one draw stand together. */
  rules: ConflictRule[][];
}

export function shapeOf(name: string, { maxBatchSize, members, rules }: DrawnShape): Shape {
  return {
    name,
    maxBatchSize,
    rules: rules.flat(),
    value: (random, size) =>
      members.map(({ values, perRecord, skew }) =>
        Math.floor((perRecord ? Math.max(1, size / values) : values) * random.next() ** skew),
      ),
  };
}

export function drawShape(random: Random): DrawnShape {
  const members = Array.from({ length: random.integer(1, 6) }, () => drawMember(random));
  const rules = Array.from({ length: random.integer(1, 6) }, () => drawRules(random, members));
  return withinBytes({ maxBatchSize: drawBatchSize(random), members, rules });
}

/** The same shape with one thing changed. */
export function changeShape(random: Random, shape: DrawnShape): DrawnShape {
  const { maxBatchSize, members, rules } = structuredClone(shape);
  const at = random.integer(0, rules.length);
  switch (random.integer(0, 6)) {
    case 0:
      return { maxBatchSize: drawBatchSize(random), members, rules };
    case 1:
      members[random.integer(0, members.length)] = drawMember(random);
      break;
    case 2:
      members.push(drawMember(random));
      rules.push(drawRules(random, members));
      break;
    case 3:
      rules.push(drawRules(random, members));
      break;
    case 4:
      if (rules.length > 1) rules.splice(at, 1);
      break;
    default:
      rules[at] = drawRules(random, members);
  }
  return withinBytes({ maxBatchSize, members, rules });
}

function withinBytes(shape: DrawnShape): DrawnShape {
  while (shape.rules.length > 1 && JSON.stringify(shape.rules.flat()).length > MAX_RULE_BYTES)
    shape.rules.pop();
  return shape;
}

const drawBatchSize = (random: Random) => random.pick([1, 2, 3, 5, 10, 20, 50, 200, 1000]);

function drawMember(random: Random): Member {
  const perRecord = random.integer(0, 3) === 0;
  const values = perRecord ? random.pick([1, 2, 5, 20]) : random.pick([2, 5, 10, 30, 100, 500, 2000]);
  return { values, perRecord, skew: random.pick([1, 1, 2, 4]) };
}

function drawRules(random: Random, members: readonly Member[]): ConflictRule[] {
  const pick = () => random.integer(0, members.length);
  const member = pick();
  const at = `/${member}`;
  const { values, perRecord } = members[member] ?? { values: 2, perRecord: false };
  const most = perRecord ? 1000 : values;
  const same = random.integer(0, 3) === 0 ? { same: `/${pick()}` } : {};
  const count = random.pick([1, 1, 5, 50, 400]);
  switch (random.integer(0, 5)) {
    case 0:
      return Array.from({ length: count }, () => {
        const one = random.integer(0, most);
        return { pair: [one, (one + random.integer(1, Math.max(2, most))) % (most + 1)], at, ...same };
      });
    case 1:
      return [
        {
          group: Array.from({ length: Math.min(most, random.pick([2, 5, 9, 30])) + 1 }, (_, i) => i),
          at,
          ...same,
        },
      ];
    case 2:
      return [{ distinct: at, ...same }];
    case 3:
      return [{ alike: at, ...same }];
    default: {
      const other = `/${pick()}`;
      return Array.from({ length: count }, () => ({
        never: { left: drawSelector(random, at, most), right: drawSelector(random, other, most) },
        ...same,
      }));
    }
  }
}

function drawSelector(random: Random, at: string, most: number): Selector {
  const from = random.integer(0, most);
  switch (random.integer(0, 4)) {
    case 0:
      return { at, equals: from };
    case 1:
      return { at, in: Array.from({ length: random.integer(1, 6) }, (_, each) => from + each) };
    case 2:
      return { at, atLeast: from };
    default:
      return { at, atLeast: from, below: from + random.integer(1, most + 1) };
  }
}
