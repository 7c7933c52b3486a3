import {
  ROLLBACK_ATTEMPTS,
  type CloseBatchesInput,
  type CloseBatchesResult,
  type PackedBatches,
  type RollbackResult,
  type SaveBatchesInput,
  type SaveBatchesResult,
  type SaveFailure,
} from '../src/contracts/workflow/activities';
import { KIB } from '../src/domain/duration';
import { KeepapartError } from '../src/domain/errors';
import { jsonBytes } from '../src/domain/json';
import { MAX_ERROR_BYTES, cutToBytes, type UndoFailure } from '../src/domain/records/outcome';
import { unpackBatch, unpackOutcomes } from '../src/domain/records/packed-batch';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
  type RecordsOfBatch,
  type SaveAttempt,
  type SettledBatch,
} from '../src/domain/records/record-store';
import { isStoreAway } from '../src/domain/records/store-away';
import { createSlots } from '../src/concurrency/slots';
import { isFileConflict, isFinal, isRefusedBatch, messageOf, saveFailureOf } from './failure';
import { isEndOfHold } from './store-call';
import type { Pass } from './store-gate';

/** Maximum size of the failures in one result, in bytes of JSON: a payload may be 2 MiB. */
const MAX_FAILURES_BYTES = 256 * KIB;

/** Limits concurrent calls of a store for single records in this process, to the number of slots for single saves. */
const slots = createSlots(400);

/**
 * One attempt to save the records of several batches. Errors of the store are in the result; only the end of a wait for an
 * unavailable store is thrown.
 * @param attempt returns what the store may know of each of its calls
 */
export async function saveBatches(
  store: RecordStore,
  input: SaveBatchesInput,
  pass: Pass,
  attempt: () => SaveAttempt | undefined = () => undefined,
): Promise<SaveBatchesResult> {
  const batches = unpacked(input);
  let fastestMs = Infinity;
  const save: RecordStore['save'] = async (record, batch) => {
    const startedAtMs = performance.now();
    await store.save(record, batch, attempt());
    fastestMs = Math.min(fastestMs, Math.round(performance.now() - startedAtMs));
  };
  const results = await (store.saveAll === undefined
    ? each(batches, (record, batch) => pass(() => slots(() => save(record, batch))))
    : together(batches, pass, (open) => saveTogether(store, open, attempt())));
  const failures = new Distinct<SaveFailure>();
  const failed: SaveBatchesResult['failed'] = [];
  for (const [i, { records }] of batches.entries()) {
    for (const j of records.keys()) {
      const result = results[i]?.[j] ?? notReported();
      if (result.status === 'rejected') failed.push([i, j, failures.indexOf(saveFailureOf(result.reason))]);
    }
  }
  return { failures: bounded(failures.all), failed, ...(Number.isFinite(fastestMs) && { fastestMs }) };
}

/**
 * Rolls back records of several batches.
 * @param attempt number of this attempt; failures of the last one are in the result
 * @throws the first error that a further attempt might fix, as long as there are attempts left
 */
export async function rollBack(
  store: RecordStore,
  input: PackedBatches,
  pass: Pass,
  attempt: number,
): Promise<RollbackResult> {
  const batches = unpacked(input);
  const results = await (store.rollbackAll === undefined
    ? each(batches, (record, batch) => pass(() => slots(() => store.rollback(record, batch))))
    : together(batches, pass, (open) => rollBackTogether(store, open)));
  const failures = new Distinct<UndoFailure>();
  const failed: RollbackResult['failed'] = [];
  for (const [i, { records }] of batches.entries()) {
    for (const j of records.keys()) {
      const result = results[i]?.[j] ?? notReported();
      if (result.status === 'fulfilled') continue;
      const refused = isFinal(result.reason);
      if (!refused && attempt < ROLLBACK_ATTEMPTS) throw result.reason;
      const message = cutToBytes(messageOf(result.reason), MAX_ERROR_BYTES);
      failed.push([i, j, failures.indexOf({ attempts: attempt, message, refused })]);
    }
  }
  return { failures: bounded(failures.all), failed };
}

type Results = PromiseSettledResult<void>[][];

/** Calls a store for each record separately. */
async function each(batches: readonly RecordsOfBatch[], call: RecordStore['save']): Promise<Results> {
  const results = await Promise.all(
    batches.map(({ batch, records }) => Promise.allSettled(records.map((record) => call(record, batch)))),
  );
  for (const result of results.flat())
    if (result.status === 'rejected' && isEndOfHold(result.reason)) throw result.reason;
  return results;
}

/** Calls a store for all records together, and again for those that found it unavailable. */
async function together(
  batches: readonly RecordsOfBatch[],
  pass: Pass,
  call: (open: readonly RecordsOfBatch[]) => Promise<Results>,
): Promise<Results> {
  const results: Results = batches.map(({ records }) => records.map(notReported));
  let open = batches.map(({ batch, records }, at) => ({ at, batch, records, places: [...records.keys()] }));
  try {
    await pass(async (noteSuccess) => {
      const found = await call(open);
      let first: PromiseRejectedResult | undefined;
      open = open.flatMap(({ at, batch, records, places }, i) => {
        const away = places.filter((place, j) => {
          const result = found[i]?.[j] ?? notReported();
          results[at]?.splice(place, 1, result);
          if (result.status === 'fulfilled') noteSuccess();
          if (result.status === 'fulfilled' || !isStoreAway(result.reason)) return false;
          first ??= result;
          return true;
        });
        const left = records.filter((_, j) => away.includes(places[j] ?? -1));
        return left.length === 0 ? [] : [{ at, batch, records: left, places: away }];
      });
      if (first !== undefined) throw first.reason;
    });
  } catch (error) {
    // A record that finds the store unavailable while others succeed has failed by itself.
    if (!isStoreAway(error)) throw error;
  }
  return results;
}

/**
 * Closes batches in parallel. A batch that can't be closed, for example because another file has its name, doesn't delay the
 * others.
 * @throws the first error, if no batch was closed or permanently refused
 */
export function closeBatches(
  store: RecordStore,
  input: CloseBatchesInput,
  pass: Pass,
): Promise<CloseBatchesResult> {
  return pass(() => closeOnce(store, input));
}

async function closeOnce(
  store: RecordStore,
  { batches, kinds, format, openedAtMs }: CloseBatchesInput,
): Promise<CloseBatchesResult> {
  const of = batches.map(({ outcomes }) => outcomes);
  const settled = batches.map(({ batchId, records }, i) => ({
    batch: { batchId, openedAtMs },
    records: unpackOutcomes({ kinds, of }, i, unpackBatch(records)),
  }));
  const results = await closeTogether(store, settled, format);
  const all = await Promise.all(
    settled.map((batch, i) => closedBefore(store, batch, results[i] ?? notReported())),
  );
  if (all.every(isRetried)) {
    const failures = all.filter((result) => result.status === 'rejected');
    throw (failures.find(({ reason }) => isStoreAway(reason)) ?? failures[0])?.reason;
  }
  const reasons = bounded(
    all.flatMap((result) => (result.status === 'rejected' ? [shortMessage(result)] : [])),
  );
  return {
    batches: all.map((result) => {
      if (result.status === 'fulfilled') return { location: result.value.location };
      const message = reasons.shift()?.message ?? '';
      return isRefusedBatch(result.reason) ? { refused: message } : { failed: message };
    }),
  };
}

/**
 * If a batch already has its file, with other outcomes, it is refused: somebody who resets a batch in Temporal's UI has it
 * saved again, which its store refuses, and the outcomes in the file remain. A file of somebody else is not such a case.
 */
async function closedBefore<Result>(
  store: RecordStore,
  { batch, records }: SettledBatch,
  result: PromiseSettledResult<Result>,
): Promise<PromiseSettledResult<Result>> {
  if (result.status === 'fulfilled' || !isFileConflict(result.reason)) return result;
  const published = await store.readBatch({ ...batch, records: [...records] }).catch(() => undefined);
  if (published === undefined) return result;
  const reason = new KeepapartError('batch-rejected', 'it is already closed, with other outcomes');
  return { status: 'rejected', reason };
}

function shortMessage({ reason }: PromiseRejectedResult): { message: string } {
  return { message: cutToBytes(messageOf(reason), MAX_ERROR_BYTES) };
}

function isRetried(result: PromiseSettledResult<unknown>): boolean {
  return result.status === 'rejected' && !isRefusedBatch(result.reason);
}

function unpacked({ openedAtMs, batches }: PackedBatches) {
  return batches.map(({ batchId, records }) => ({
    batch: { batchId, openedAtMs },
    records: unpackBatch(records),
  }));
}

/** A record that a store doesn't report counts as not saved. */
function notReported(): PromiseRejectedResult {
  return { status: 'rejected', reason: new TypeError('the store reported too few results') };
}

/** A list of distinct values, compared as JSON. */
class Distinct<T extends object> {
  readonly all: T[] = [];
  private readonly indexes = new Map<string, number>();

  indexOf(value: T): number {
    const text = JSON.stringify(value);
    const known = this.indexes.get(text);
    if (known !== undefined) return known;
    this.indexes.set(text, this.all.length);
    return this.all.push(value) - 1;
  }
}

/** The failures, with shorter messages if they are too large together. */
function bounded<T extends { message: string }>(failures: readonly T[]): T[] {
  const bytes = failures.reduce((sum, { message }) => sum + jsonBytes(message), 0);
  if (bytes <= MAX_FAILURES_BYTES) return [...failures];
  // A byte takes at most six in JSON.
  const each = Math.floor(MAX_FAILURES_BYTES / 6 / failures.length);
  return failures.map((failure) => ({ ...failure, message: cutToBytes(failure.message, each) }));
}
