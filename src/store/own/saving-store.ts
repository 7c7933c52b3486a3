import type { BatchRef } from '../../domain/records/batch';
import { KeepapartError } from '../../domain/errors';
import { OUTCOME, outcomeFromLine, type Outcome } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type {
  RecordStore,
  RecordsOfBatch,
  SaveAttempt,
  SettledBatch,
} from '../../domain/records/record-store';
import { isStoreAway } from '../../domain/records/store-away';
import { batchName } from '../batch-files';
import { alreadyClosed } from '../batch-errors';
import { createFileStore } from '../file-store';
import type { StoreFolders } from '../folders';
import type { BatchSaver } from './definition';
import { createGathering } from './gathering';
import { readOutcomes, type ReadOutcome } from './outcomes';
import { createUserCode, type UserCodeOptions } from './user-code';

export interface SavingStoreOptions extends UserCodeOptions {
  folders: StoreFolders;
  /** Maximum records of a batch; a group of that size is complete. */
  maxBatchSize: number;
  /** Awaited between every two steps, for tests that pause or kill a worker there. */
  between?: () => void | Promise<void>;
}

type Result = PromiseSettledResult<void>;

/** A record to be saved by itself, with its attempt. */
interface SingleSave {
  record: KeptRecord;
  batch: BatchRef;
  attempt: SaveAttempt | undefined;
}

/**
 * A record store around code that saves the records of a batch. Everything else is done with files, as in the file store: a
 * record counts as saved when the code says so and that is staged. Workers must share DATA_DIR and OUT_DIR.
 *
 * Nothing is saved for a batch that has its file. If another worker closes a batch meanwhile, whichever of the two comes
 * second makes the store match the file:
 *
 *   late save:      saveBatch ──► staged ──► is it rolled back in the file? ──► undo
 *   late rollback:  not staged any more ──► undo ──► is it saved in the file? ──► saveBatch
 *   closing:        the file ──► is a rolled-back record staged? ──► undo; is a saved one not? ──► saveBatch
 */
export function createSavingStore(saver: BatchSaver, options: SavingStoreOptions): RecordStore {
  const { between = () => undefined } = options;
  const userCode = createUserCode(options);
  const files = createFileStore(options.folders, { onPublished: reconcile });
  const gather = createGathering<SingleSave>(options.maxBatchSize, (entries) => {
    const [first] = entries;
    if (first === undefined) return Promise.resolve([]);
    const records = entries.map(({ record }) => record);
    return save({ batch: first.batch, records }, attemptOfAll(entries));
  });

  async function save(
    { batch, records }: RecordsOfBatch,
    { number, isFirst, signal }: Partial<SaveAttempt> = {},
  ): Promise<Result[]> {
    await between();
    if ((await files.publishedLines(batch)) !== undefined)
      return records.map((record) => rejected(alreadyClosed(batch, [record])));
    // An earlier attempt may have got as far as staging.
    const due = isFirst === true ? records : await files.notStaged(records, batch);
    const outcomes = new Map(due.length === 0 ? [] : zip(due, await call(due)));
    await between();
    const stored = due.filter((record) => outcomes.get(record)?.outcome === 'saved');
    const staged = new Map(zip(stored, await stage(stored)));
    return records.map((record) => {
      const outcome = outcomes.get(record);
      if (outcome?.outcome !== 'saved') return resultOf(outcome);
      return staged.get(record) ?? rejected(new TypeError(`${record.recordId} was not staged`));
    });

    function call(wanted: readonly KeptRecord[]): Promise<ReadOutcome[]> {
      return userCode({ name: 'saveBatch', batch, attempt: number ?? 1, signal }, async (told) =>
        readOutcomes(await saver.saveBatch(wanted, told), wanted.length, 'saveBatch'),
      );
    }

    async function stage(wanted: readonly KeptRecord[]): Promise<readonly Result[]> {
      if (wanted.length === 0) return [];
      const [results = []] = (await files.saveAll?.([{ batch, records: wanted }])) ?? [];
      if (results.some(({ status }) => status === 'rejected'))
        await undoAfterClosing({ batch, records: wanted });
      return results;
    }
  }

  async function undo({ batch, records }: RecordsOfBatch): Promise<Result[]> {
    await between();
    if (saver.undo === undefined || records.length === 0) return records.map(() => FULFILLED);
    const run = (some: readonly KeptRecord[]): Promise<void> =>
      userCode({ name: 'undo', batch, attempt: 1, signal: undefined }, (told) => saver.undo?.(some, told));
    try {
      await run(records);
      return records.map(() => FULFILLED);
    } catch (reason) {
      // One record may be the cause of the failure, and must not affect the others (G9).
      if (records.length === 1 || isStoreAway(reason)) return records.map(() => rejected(reason));
      return Promise.allSettled(records.map((record) => run([record])));
    }
  }

  async function rollBack({ batch, records }: RecordsOfBatch): Promise<Result[]> {
    // First, so that nobody who closes the batch finds it staged and publishes it as saved after it is undone.
    await files.rollbackAll?.([{ batch, records }]);
    await between();
    const before = await files.publishedLines(batch);
    const due = records.filter(
      (record) => before === undefined || isPublishedAs(OUTCOME.rolledBack, record, before),
    );
    const undone = new Map(zip(due, await undo({ batch, records: due })));
    await between();
    const lines = (await files.publishedLines(batch)) ?? [];
    await saveAgain({
      batch,
      records: records.filter((record) => isPublishedAs(OUTCOME.saved, record, lines)),
    });
    return records.map((record) => undone.get(record) ?? FULFILLED);
  }

  /** Undoes records of a closed batch that were saved too late. Nobody waits for it, so errors are only logged. */
  async function undoAfterClosing({ batch, records }: RecordsOfBatch): Promise<void> {
    const lines = (await files.publishedLines(batch)) ?? [];
    await undo({
      batch,
      records: records.filter((record) => isPublishedAs(OUTCOME.rolledBack, record, lines)),
    });
  }

  /**
   * Saves records again that are published as saved, and may have been undone by a worker that settled the batch meanwhile.
   * @throws `store-away`, so that the call is repeated; other errors must not keep the batch open for ever
   */
  async function saveAgain({ batch, records }: RecordsOfBatch): Promise<void> {
    if (saver.undo === undefined || records.length === 0) return;
    const call = { name: 'saveBatch', batch, attempt: 1, signal: undefined } as const;
    await userCode(call, (told) => saver.saveBatch(records, told)).catch((error: unknown) => {
      if (isStoreAway(error)) throw error;
    });
  }

  /** Makes the store match what is published, whatever happened at the same time. */
  async function reconcile({ batch, records }: SettledBatch): Promise<void> {
    await between();
    if (saver.undo === undefined) return;
    const notStaged = new Set(await files.notStaged(records, batch));
    const undoneMeanwhile = records.filter(
      (record) => record.outcome === OUTCOME.saved && notStaged.has(record),
    );
    await saveAgain({ batch, records: undoneMeanwhile.map(({ recordId, value }) => ({ recordId, value })) });
    // If undoing has already failed permanently, the file says so.
    const late = records.filter(
      (record) =>
        record.outcome === OUTCOME.rolledBack && record.rollbackError === undefined && !notStaged.has(record),
    );
    const plain = late.map(({ recordId, value }) => ({ recordId, value }));
    for (const result of await undo({ batch, records: plain }))
      if (result.status === 'rejected' && isStoreAway(result.reason)) throw result.reason;
    await between();
  }

  return {
    boundsItsCalls: true,

    save: (record, batch, attempt) =>
      gather(`${attempt?.number ?? 1}/${batchName(batch)}`, { record, batch, attempt }),

    saveAll: (batches, attempt) =>
      Promise.all(
        batches.map((one) =>
          save(one, attempt).catch((reason: unknown) => one.records.map(() => rejected(reason))),
        ),
      ),

    rollback: async (record, batch) => {
      const [result] = await rollBack({ batch, records: [record] });
      if (result?.status === 'rejected') throw result.reason;
    },

    rollbackAll: (batches) =>
      Promise.all(
        batches.map((one) =>
          rollBack(one).catch((reason: unknown) => one.records.map(() => rejected(reason))),
        ),
      ),

    closeBatch: async (...args) => files.closeBatch(...args),
    closeBatches: (batches, format) => files.closeBatches?.(batches, format) ?? Promise.resolve([]),
    readBatch: (batch) => files.readBatch(batch),
  };
}

const FULFILLED: Result = { status: 'fulfilled', value: undefined };

function rejected(reason: unknown): Result {
  return { status: 'rejected', reason };
}

function zip<A, B>(some: readonly A[], others: readonly B[]): [A, B][] {
  return some.flatMap((one, i) => {
    const other = others[i];
    return other === undefined ? [] : [[one, other] as [A, B]];
  });
}

/** The result of a save for its caller; fulfilled without an outcome if the record was staged before. */
function resultOf(outcome: ReadOutcome | undefined): Result {
  switch (outcome?.outcome) {
    case 'retry': {
      const { reason = 'the store requests another attempt', afterMs } = outcome;
      const retryAfterMs = afterMs === undefined ? {} : { retryAfterMs: afterMs };
      return rejected(new KeepapartError('save-failed', reason, retryAfterMs));
    }
    case 'rejected':
      return rejected(
        new KeepapartError('record-rejected', outcome.reason ?? 'the store refuses the record'),
      );
    default:
      return FULFILLED;
  }
}

/** Whether a closed batch's lines have only this outcome for the record; text lines may be ambiguous. */
function isPublishedAs(wanted: Outcome, record: KeptRecord, lines: readonly string[]): boolean {
  const told = lines.flatMap((line) => outcomeFromLine(record, line) ?? []);
  return told.length > 0 && told.every(({ outcome }) => outcome === wanted);
}

/** The attempt of saves that are made together: cancelled when all of them are. */
function attemptOfAll(saves: readonly SingleSave[]): Partial<SaveAttempt> {
  const attempts = saves.flatMap(({ attempt }) => attempt ?? []);
  const number = attempts[0]?.number ?? 1;
  const isFirst = attempts.length === saves.length && attempts.every((attempt) => attempt.isFirst);
  if (attempts.length < saves.length) return { number, isFirst };
  const abort = new AbortController();
  let open = attempts.length;
  for (const { signal } of attempts) {
    const end = (): void => {
      if (--open === 0) abort.abort(signal.reason);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }
  return { number, isFirst, signal: abort.signal };
}
