import { bufferedRecordId, bySeq, type BufferedRecord, type RecordBuffer } from './buffer';
import type { ConflictRule } from '../rules';
import { MIB } from '../duration';
import { portions } from '../portions';
import { partition } from '../partition';
import { fillUp } from '../partition/fill-up';
import { totalBytes } from '../records/record';

/** Decides which records may share a batch. */
export interface CutPolicy {
  maxBatchSize: number;
  conflicts: readonly ConflictRule[];
}

/** Upper bound of the values of one batch, in bytes as JSON. A single record may be as large (`MAX_RECORD_BYTES`). */
export const MAX_BATCH_BYTES = 1 * MIB;

/** Up to this many records in partial batches are always recut together with new records; it takes 1 to 2 ms. */
const ALWAYS_RECUT = 1000;

/** Further records in partial batches that are recut per new record. Bounds the cost of a record when thousands conflict. */
const RECUT_PER_ARRIVAL = 32;

/**
 * Whether to cut the waiting records together with the partial batches: when something is due, or when a batch may become
 * full and there is a slot for it. With very many partial batches (thousands of records that conflict with each other),
 * cutting waits until enough records have arrived; until then, batches that leave are filled up from the waiting records
 * ({@link fillFromWaiting}).
 * @param limit number of free slots
 */
export function isWorthCutting(
  { waiting, partial, full }: RecordBuffer,
  { maxBatchSize }: CutPolicy,
  somethingIsDue: boolean,
  limit: number,
): boolean {
  const cut = partial.reduce((sum, { length }) => sum + length, 0);
  const mayFill = waiting.length > 0 && cut + waiting.length >= maxBatchSize && full.length < limit;
  if (waiting.length === 0 || !(somethingIsDue || mayFill)) return false;
  return cut <= ALWAYS_RECUT + RECUT_PER_ARRIVAL * waiting.length;
}

/** Cuts all records that are not in a full batch. */
export function cut(buffer: RecordBuffer, { maxBatchSize, conflicts }: CutPolicy): void {
  const records = [...buffer.partial.flat(), ...buffer.waiting].sort(bySeq);
  const { batches, lowerBound } = partition(records, { rules: conflicts, maxBatchSize });
  const payloads = batches.flatMap(splitRepeats).flatMap(splitBySize);
  const full = payloads.filter((batch) => batch.length === maxBatchSize);
  buffer.full = [...buffer.full, ...full].sort(byOldest);
  buffer.partial = payloads.filter((batch) => batch.length < maxBatchSize).sort(byOldest);
  buffer.waiting = [];
  buffer.beyondBound = payloads.length - lowerBound;
}

/** How many waiting records are considered to fill up one batch. */
const MAX_CANDIDATES = 64;

/** Fills up a partial batch that leaves with waiting records that fit, and removes them from `waiting`. Returns the batch. */
export function fillFromWaiting(
  batch: BufferedRecord[],
  buffer: RecordBuffer,
  { maxBatchSize, conflicts }: CutPolicy,
): BufferedRecord[] {
  if (buffer.waiting.length === 0) return batch;
  const candidates = buffer.waiting.slice(0, MAX_CANDIDATES);
  const filled = fillUp(batch, candidates, { rules: conflicts, maxBatchSize });
  const [payload = batch] = splitRepeats(filled).flatMap(splitBySize);
  const gone = new Set(payload);
  buffer.waiting = buffer.waiting.filter((record) => !gone.has(record));
  return payload;
}

/** `seq` of the oldest record of a batch, which is its first; Infinity for an empty batch. */
export function oldestSeq(batch: readonly BufferedRecord[]): number {
  return batch[0]?.seq ?? Infinity;
}

function byOldest(a: readonly BufferedRecord[], b: readonly BufferedRecord[]): number {
  return oldestSeq(a) - oldestSeq(b);
}

/**
 * Splits a batch that has the same `recordId` twice. That happens if a request is sent again after its key was forgotten,
 * while its records are still buffered; in one batch they would be confused.
 */
function splitRepeats(batch: BufferedRecord[]): BufferedRecord[][] {
  const pieces: { ids: Set<string>; records: BufferedRecord[] }[] = [];
  for (const record of batch) {
    const id = bufferedRecordId(record);
    let piece = pieces.find(({ ids }) => !ids.has(id));
    if (piece === undefined) pieces.push((piece = { ids: new Set(), records: [] }));
    piece.ids.add(id);
    piece.records.push(record);
  }
  return pieces.map(({ records }) => records);
}

/** Splits a batch whose values exceed {@link MAX_BATCH_BYTES}. */
function splitBySize(batch: BufferedRecord[]): BufferedRecord[][] {
  if (totalBytes(batch) <= MAX_BATCH_BYTES) return [batch];
  return portions(batch, { bytes: MAX_BATCH_BYTES }, ({ bytes }) => bytes);
}
