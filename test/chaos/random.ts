/** A source of chance that a seed determines, on every machine and every version of Node. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform among the integers from `from` up to and without `to`. */
  integer(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  /** Ids in the form of a version 4 UUID. */
  uuid(): string;
}

/**
 * Marsaglia's xorshift with 32 bits of state.
 * @param stream tells several sources of one seed apart, so that what one draws doesn't move the others
 */
export function createRandom(seed: number, stream = 0): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b) || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // Seeds that lie close together give similar first numbers.
  for (let i = 0; i < 20; i++) next();

  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from));
  return {
    next,
    integer,
    pick: (items) => items[integer(0, items.length)]!,
    shuffle(items) {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last + 1);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
      }
      return shuffled;
    },
    uuid() {
      const digits = Array.from({ length: 32 }, () => integer(0, 16).toString(16));
      digits[12] = '4';
      digits[16] = '89ab'[integer(0, 4)]!;
      return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
}
