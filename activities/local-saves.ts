import { ACTIVITY_TIMEOUTS, LOCAL_PATIENCE_MS } from '../src/contracts/activities';
import type { BatchRef } from '../src/domain/batch';
import type { KeptRecord } from '../src/domain/record';
import { saveTogether, type RecordStore } from '../src/domain/record-store';

/**
 * Attempts to save that are begun by a local activity and, where they take long, finished by an activity of the server's:
 * in the same process that one joins what is under way, in another it makes the attempt again, which is harmless (G4).
 * @param patienceMs how long `begin` waits for the store
 * @param keepMs how long it is remembered how an attempt ended that `finish` has not come for yet
 */
export function createLocalSaves(
  store: RecordStore,
  { patienceMs = LOCAL_PATIENCE_MS, keepMs = ACTIVITY_TIMEOUTS.localMs } = {},
) {
  /** By record and batch: attempts that are under way, and how those ended that nobody has come for. */
  const begun = new Map<string, Promise<PromiseSettledResult<void>>>();
  const forget = (key: string, attempt: Promise<PromiseSettledResult<void>>) => {
    if (begun.get(key) === attempt) begun.delete(key);
  };

  return {
    /** What became of each record; undefined for those that are not through yet. Rejects when all fail with that. */
    async begin(
      records: readonly KeptRecord[],
      batch: BatchRef,
    ): Promise<(PromiseSettledResult<void> | undefined)[]> {
      const saving = saveTogether(store, records, batch);
      if (await isThroughWithin(patienceMs, saving)) {
        const results = await saving;
        return records.map((_, place) => results[place] ?? untold());
      }
      for (const [place, record] of records.entries()) {
        const key = keyOf(record, batch);
        const one = saving.then((results) => results[place] ?? untold(), rejected);
        begun.set(key, one);
        void one.then(() => setTimeout(() => forget(key, one), keepMs).unref());
      }
      return records.map(() => undefined);
    },

    /** Saves a record, or tells how the attempt ended that was begun here. Each attempt is told of once. */
    async finish(record: KeptRecord, batch: BatchRef): Promise<void> {
      const key = keyOf(record, batch);
      const attempt = begun.get(key);
      if (attempt === undefined) return store.save(record, batch);
      const ended = await attempt;
      forget(key, attempt);
      if (ended.status === 'rejected') throw ended.reason;
    },
  };
}

export type LocalSaves = ReturnType<typeof createLocalSaves>;

/** Resolves as soon as it is known. What the promise rejects with is left to whoever awaits it. */
async function isThroughWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const through = () => true;
  const first = await Promise.race([promise.then(through, through), late]);
  clearTimeout(timer);
  return first;
}

function keyOf({ recordId }: KeptRecord, { batchId, openedAtMs }: BatchRef): string {
  return JSON.stringify([batchId, openedAtMs, recordId]);
}

/** What a store doesn't tell of is not saved. */
function untold(): PromiseRejectedResult {
  return rejected(new TypeError('the store told of too few records'));
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason };
}
