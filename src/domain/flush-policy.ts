import { FLUSH_REASON, type FlushReason } from './batch';
import { bufferedRecordId, bySeq, type BufferedRecord, type RecordBuffer } from './buffer';
import type { ConflictRule } from './conflict-rules';
import { MIB } from './duration';
import { partition } from './partition';

/** What decides when records leave the buffer, and in which company. */
export interface FlushPolicy {
  maxBatchSize: number;
  conflicts: readonly ConflictRule[];
  /** Age of a record at which it goes even in a batch that isn't full. */
  flushIntervalMs: number;
}

/** Most bytes of the values of one batch; a record may have as many (`MAX_RECORD_BYTES`). */
export const MAX_BATCH_BYTES = 1 * MIB;

/** Records that leave the buffer together, oldest first. */
export interface Flush {
  records: BufferedRecord[];
  reason: FlushReason;
}

/**
 * Takes up to `limit` batches out of the buffer, those with the oldest records first (G7).
 *
 * Two kinds of batch may go: full ones, as soon as there are any (`size`), and partial ones that hold a due record
 * (`age`, or `manual` after a flush by hand), filled up with younger records that fit. Partial batches are cut only at
 * the moment when one can start: while the store is busy they keep filling. Full ones are cut once and stay cut, so
 * that a long buffer isn't partitioned anew for each batch; taking away full batches never costs the rest a batch more
 * where the partition is optimal.
 *
 * No batch takes more than {@link MAX_BATCH_BYTES}, and taking ends with the batch that reaches `maxBytes`: each batch
 * becomes a payload, and those that start in one workflow task one message, of which Temporal takes 2 and 4 MiB.
 */
export function takeFlushes(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  nowMs: number,
  limit: number,
  maxBytes = Infinity,
): Flush[] {
  if (limit <= 0) return [];
  const partial = cut(buffer, policy, nowMs, limit);
  const flushes: Flush[] = [];
  let nextPartial = 0;
  let nextFull = 0;
  let bytes = 0;
  while (flushes.length < limit && bytes < maxBytes) {
    const due = partial[nextPartial];
    const full = buffer.full[nextFull];
    let flush: Flush;
    if (due !== undefined && (full === undefined || oldestSeq(due) < oldestSeq(full))) {
      flush = { records: due, reason: reasonOf(due, buffer) };
      nextPartial++;
    } else if (full !== undefined) {
      flush = { records: full, reason: FLUSH_REASON.size };
      nextFull++;
    } else break;
    flushes.push(flush);
    bytes += bytesOf(flush.records);
  }
  buffer.full.splice(0, nextFull);
  removeFromWaiting(buffer, partial.slice(0, nextPartial));
  for (const { records } of flushes) buffer.bufferedRecords -= records.length;
  buffer.bufferedBytes -= bytes;
  return flushes;
}

/**
 * When `takeFlushes` gives something at the earliest, in milliseconds since the epoch and not in the past;
 * `undefined` while there is nothing to give. What has not been cut may hold a full batch, so it is looked at once.
 */
export function nextFlushAtMs(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number): number | undefined {
  if (buffer.full.length > 0 || mayHoldFullBatch(buffer, policy)) return nowMs;
  const oldest = buffer.waiting[0];
  return oldest && Math.max(nowMs, dueAtMs(oldest, buffer, policy));
}

function dueAtMs(record: BufferedRecord, buffer: RecordBuffer, policy: FlushPolicy): number {
  const byHand = record.seq < buffer.flushBeforeSeq;
  return byHand ? record.acceptedAtMs : record.acceptedAtMs + policy.flushIntervalMs;
}

/** Whether cutting `waiting` may give a full batch: not before something has arrived since the last cut. */
function mayHoldFullBatch(buffer: RecordBuffer, policy: FlushPolicy): boolean {
  return buffer.uncut > 0 && buffer.waiting.length >= policy.maxBatchSize;
}

/** Moves full batches from `waiting` to `full`, and returns the partial ones that hold a due record, oldest first. */
function cut(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number, limit: number): BufferedRecord[][] {
  const isDue = (record: BufferedRecord) => dueAtMs(record, buffer, policy) <= nowMs;
  const oldest = buffer.waiting[0];
  const somethingIsDue = oldest !== undefined && isDue(oldest);
  if (!somethingIsDue && !(mayHoldFullBatch(buffer, policy) && buffer.full.length < limit)) return [];

  const { batches } = partition(buffer.waiting, {
    rules: policy.conflicts,
    maxBatchSize: policy.maxBatchSize,
    version: 1,
  });
  const payloads = batches.flatMap(withDistinctIds).flatMap(withinBytes);
  const full = payloads.filter((batch) => batch.length === policy.maxBatchSize);
  const partial = payloads.filter((batch) => batch.length < policy.maxBatchSize);
  buffer.full = [...buffer.full, ...full].sort((a, b) => oldestSeq(a) - oldestSeq(b));
  buffer.waiting = partial.flat().sort(bySeq);
  buffer.uncut = 0;
  return partial.filter((batch) => batch.some(isDue));
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

/** What the values of records take. */
export function bytesOf(records: readonly BufferedRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes, 0);
}

function reasonOf(batch: readonly BufferedRecord[], buffer: RecordBuffer): FlushReason {
  return batch.some((record) => record.seq < buffer.flushBeforeSeq) ? buffer.byHand : FLUSH_REASON.age;
}

function removeFromWaiting(buffer: RecordBuffer, taken: readonly BufferedRecord[][]): void {
  if (taken.length === 0) return;
  const gone = new Set(taken.flat());
  buffer.waiting = buffer.waiting.filter((record) => !gone.has(record));
}

function oldestSeq(batch: readonly BufferedRecord[]): number {
  return batch[0]?.seq ?? Infinity;
}
