/** Numbers of ids, each taken once. */
export interface Ids {
  take(): number;
  /** Skips this many. */
  skip(count: number): void;
}

/**
 * Starts something under the next free id. The skipped gap doubles each time, so n used ids cost log n tries.
 * @param start returns undefined if the id is taken
 */
export async function underNextFreeId<T>(
  ids: Ids,
  start: (seq: number) => Promise<T | undefined>,
): Promise<T> {
  for (let gap = 1; ; gap *= 2) {
    const started = await start(ids.take());
    if (started !== undefined) return started;
    ids.skip(gap - 1);
  }
}
