import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import type { Random } from './random';

/** One rule of each kind. */
export const RULES: readonly ConflictRule[] = [
  { pair: [1, 2] },
  { group: ['red', 'green', 'blue'] },
  { distinct: '/customer' },
];

const MAX_LIST = 7;
const CUSTOMERS = 6;
/** Shares of the records. */
const DOOMED = 0.02;
const SLOW = 0.01;

/** A list of one to seven records, of which many must be kept apart, a few can never be saved, and a few take long. */
export function makeList(random: Random, slowMs: number): JsonValue[] {
  return Array.from({ length: random.integer(1, MAX_LIST + 1) }, () => makeValue(random, slowMs));
}

/** How long a list is on average. */
export const MEAN_LIST = (1 + MAX_LIST) / 2;

function makeValue(random: Random, slowMs: number): JsonValue {
  const chance = random.next();
  if (chance < DOOMED) return { doomed: random.integer(0, 1000) };
  if (chance < DOOMED + SLOW) return { slowMs };
  if (chance < 0.3) return random.pick([1, 2]);
  if (chance < 0.5) return random.pick(['red', 'green', 'blue']);
  if (chance < 0.75) return { customer: random.integer(0, CUSTOMERS), order: random.integer(0, 1_000_000) };
  return random.integer(10, 1_000_000);
}
