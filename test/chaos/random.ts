/** Numbers that depend on the seed alone, so that an attack can be repeated. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An integer, both bounds included. */
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

/** The generator “mulberry32” (public domain, by Tommy Ettinger): 32 bits of state, good enough to choose victims. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (items) => items[Math.floor(next() * items.length)]!,
  };
}
