import type { ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import type { Random } from './random';

/** What happens to a record: it can be saved like any other, never, or only slowly. */
export const FATE = { any: 'any', never: 'never', slow: 'slow' } as const;
export type Fate = (typeof FATE)[keyof typeof FATE];

/** The records of the attack conflict in two ways: `kind` 1 and 2 exclude each other, and nobody shares an account. */
export const RULES: ConflictRule[] = [{ pair: [1, 2], at: '/kind' }, { distinct: '/account' }];

export interface AttackRecord {
  [member: string]: JsonValue;
  /** Unique in the attack. */
  n: number;
  kind: number;
  account: number;
  fate: Fate;
}

/** A list as one client sends it: 1 to 7 records, of which some conflict, few can't be saved and very few are slow. */
export function nextList(random: Random, firstN: number): AttackRecord[] {
  return Array.from({ length: random.between(1, 7) }, (_, i) => ({
    n: firstN + i,
    kind: random.between(1, 6),
    account: random.between(1, 200),
    fate: fateOf(random.next()),
  }));
}

function fateOf(drawn: number): Fate {
  if (drawn < 0.03) return FATE.never;
  return drawn < 0.035 ? FATE.slow : FATE.any;
}
