import { bufferedRecordId, bySeq, type BufferedRecord, type RecordBuffer } from './buffer';
import type { ConflictRule } from '../rules';
import { MIB } from '../duration';
import { partition } from '../partition';
import { fillUp } from '../partition/fill-up';

/** What decides which records leave the buffer together. */
export interface CutPolicy {
  maxBatchSize: number;
  conflicts: readonly ConflictRule[];
}

/** Most bytes of the values of one batch; a record may have as many (`MAX_RECORD_BYTES`). */
export const MAX_BATCH_BYTES = 1 * MIB;

/** So many records of partial batches are cut anew with whatever arrives; it takes a millisecond or two. */
const ALWAYS_CUT_ANEW = 1000;

/** Beyond them, so many for each that has arrived: what a record costs stays bounded, however many conflict. */
const CUT_ANEW_PER_ARRIVAL = 32;

/**
 * Whether to cut what has arrived, together with the partial batches: it is due, or may fill one, and there is a slot for
 * that. Where the partial batches are very many, as when thousands of records conflict with each other, that waits until
 * enough has arrived; meanwhile batches that go are filled with it ({@link fillFromWaiting}).
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
  return cut <= ALWAYS_CUT_ANEW + CUT_ANEW_PER_ARRIVAL * waiting.length;
}

/** Cuts what is in no full batch. */
export function cut(buffer: RecordBuffer, { maxBatchSize, conflicts }: CutPolicy): void {
  const records = [...buffer.partial.flat(), ...buffer.waiting].sort(bySeq);
  const { batches, lowerBound } = partition(records, { rules: conflicts, maxBatchSize });
  const payloads = batches.flatMap(withDistinctIds).flatMap(withinBytes);
  const full = payloads.filter((batch) => batch.length === maxBatchSize);
  buffer.full = [...buffer.full, ...full].sort(byOldest);
  buffer.partial = payloads.filter((batch) => batch.length < maxBatchSize).sort(byOldest);
  buffer.waiting = [];
  buffer.beyondBound = payloads.length - lowerBound;
}

/** Records that are looked at to fill up one batch, so that a long buffer isn't searched for each. */
const MAX_LOOKED_AT = 64;

/** A partial batch that has to go, with younger records that fit, which are moved out of `waiting`. */
export function fillFromWaiting(
  batch: BufferedRecord[],
  buffer: RecordBuffer,
  { maxBatchSize, conflicts }: CutPolicy,
): BufferedRecord[] {
  if (buffer.waiting.length === 0) return batch;
  const candidates = buffer.waiting.slice(0, MAX_LOOKED_AT);
  const filled = fillUp(batch, candidates, { rules: conflicts, maxBatchSize });
  const [payload = batch] = withDistinctIds(filled).flatMap(withinBytes);
  const gone = new Set(payload);
  buffer.waiting = buffer.waiting.filter((record) => !gone.has(record));
  return payload;
}

/** The age of a batch. */
export function oldestSeq(batch: readonly BufferedRecord[]): number {
  return batch[0]?.seq ?? Infinity;
}

function byOldest(a: readonly BufferedRecord[], b: readonly BufferedRecord[]): number {
  return oldestSeq(a) - oldestSeq(b);
}

/**
 * A batch as it is, or cut into several where it holds a record twice: a request whose key was forgotten was sent again
 * while its first sending was still buffered. In one batch they would be taken for one another.
 */
function withDistinctIds(batch: BufferedRecord[]): BufferedRecord[][] {
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

/** A batch as it is, or cut into several where its values take more than {@link MAX_BATCH_BYTES}. */
function withinBytes(batch: BufferedRecord[]): BufferedRecord[][] {
  if (bytesOf(batch) <= MAX_BATCH_BYTES) return [batch];
  const pieces: BufferedRecord[][] = [];
  let bytes = Infinity;
  for (const record of batch) {
    bytes += record.bytes;
    if (bytes > MAX_BATCH_BYTES) {
      pieces.push([]);
      bytes = record.bytes;
    }
    pieces.at(-1)?.push(record);
  }
  return pieces;
}

/** Bytes of the values of some records. */
export function bytesOf(records: readonly BufferedRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes, 0);
}
