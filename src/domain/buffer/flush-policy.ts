import { FLUSH_REASON, type FlushReason } from '../records/batch';
import { oldestOf, type BufferedRecord, type RecordBuffer } from './buffer';
import { totalBytes } from '../records/record';
import { cut, fillFromWaiting, isWorthCutting, oldestSeq, type CutPolicy } from './flush-cut';

/** Decides when records leave the buffer, and which may share a batch. */
export interface FlushPolicy extends CutPolicy {
  /** Age at which a record leaves even in a partial batch, in milliseconds. */
  flushIntervalMs: number;
}

/** Records that leave the buffer together, oldest first. */
export interface Flush {
  records: BufferedRecord[];
  reason: FlushReason;
  /** Set if the batch is one more than the lower bound of its cut. */
  beyondBound?: true;
}

/**
 * Removes up to `limit` batches from the buffer, those with the oldest records first (G7), and returns them.
 *
 * Full batches leave as soon as there are any (`size`). Partial batches leave if they have a due record (`age`, `manual`
 * or `drain`), filled up with younger records that fit; since they leave only when they can start, they keep filling
 * while the store is busy. Full batches are never cut again. If the partition is optimal, removing batches doesn't make
 * the rest need more.
 *
 * The bound of G7: a due record with n older ones in the buffer is in one of the next n + 1 batches, whatever arrives and
 * conflicts. Batches leave in the order of their oldest records, and any batch with a due record may leave; so each batch
 * before the record's own removes at least one of the n. If all records conflict with each other it is the (n + 1)th
 * batch; without conflicts, the (⌊n / maxBatchSize⌋ + 1)th.
 *
 * A batch has at most `MAX_BATCH_BYTES`, and the call stops after the batch that reaches `maxBytes`: each batch becomes a
 * payload, which Temporal limits to 2 MiB, and all that start in one workflow task become one message, limited to 4 MiB.
 * @param limit number of free slots
 * @param maxBytes in bytes of values; default: no limit
 * @param maxRecords the call stops before the batch that exceeds it, so that none passes an older one; default: no limit
 */
export function takeFlushes(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  nowMs: number,
  limit: number,
  maxBytes = Infinity,
  maxRecords = Infinity,
): Flush[] {
  if (limit <= 0) return [];
  const isDue = (record: BufferedRecord) => dueAtMs(record, buffer, policy) <= nowMs;
  const oldest = oldestUnfull(buffer);
  const somethingIsDue = oldest !== undefined && isDue(oldest);
  if (isWorthCutting(buffer, policy, somethingIsDue, limit)) cut(buffer, policy);

  const due = somethingIsDue ? buffer.partial.filter((batch) => batch.some(isDue)) : [];
  const flushes: Flush[] = [];
  let partials = 0;
  let fulls = 0;
  let bytes = 0;
  let room = maxRecords;
  while (flushes.length < limit && bytes < maxBytes) {
    const [partial, full] = [due[partials], buffer.full[fulls]];
    let flush: Flush;
    if (partial !== undefined && (full === undefined || oldestSeq(partial) < oldestSeq(full))) {
      if (partial.length > room) break;
      const maxBatchSize = Math.min(policy.maxBatchSize, room);
      const isFull = partial.length >= maxBatchSize;
      const records = isFull ? partial : fillFromWaiting(partial, buffer, { ...policy, maxBatchSize });
      flush = { records, reason: flushReasonOf(records, buffer, policy) };
      // Batches beyond the bound are always partial ones.
      if (buffer.beyondBound > 0) {
        flush.beyondBound = true;
        buffer.beyondBound--;
      }
      partials++;
    } else if (full !== undefined && full.length <= room) {
      flush = { records: full, reason: FLUSH_REASON.size };
      fulls++;
    } else break;
    flushes.push(flush);
    room -= flush.records.length;
    bytes += totalBytes(flush.records);
  }
  buffer.full.splice(0, fulls);
  const gone = new Set(due.slice(0, partials));
  if (gone.size > 0) buffer.partial = buffer.partial.filter((batch) => !gone.has(batch));
  for (const { records } of flushes) buffer.bufferedRecords -= records.length;
  buffer.bufferedBytes -= bytes;
  return flushes;
}

/**
 * The earliest time at which {@link takeFlushes} may return something, in milliseconds since the epoch and not before
 * `nowMs`; `undefined` if the buffer is empty. `nowMs` if uncut records may make a full batch, which only a cut can tell.
 */
export function nextFlushAtMs(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number): number | undefined {
  if (buffer.full.length > 0 || isWorthCutting(buffer, policy, false, Infinity)) return nowMs;
  const oldest = oldestUnfull(buffer);
  return oldest && Math.max(nowMs, dueAtMs(oldest, buffer, policy));
}

/** Estimates how many batches {@link takeFlushes} would return without a limit. Doesn't cut. */
export function readyBatches(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number): number {
  const isDue = (record: BufferedRecord) => dueAtMs(record, buffer, policy) <= nowMs;
  const dueBatches = buffer.partial.filter((batch) => batch.some(isDue)).length;
  const uncut = buffer.waiting.length / policy.maxBatchSize;
  const [oldest] = buffer.waiting;
  const fromUncut = oldest !== undefined && isDue(oldest) ? Math.ceil(uncut) : Math.floor(uncut);
  return buffer.full.length + dueBatches + fromUncut;
}

/** The oldest record outside the full batches. */
function oldestUnfull({ partial, waiting }: RecordBuffer): BufferedRecord | undefined {
  return oldestOf([...partial.map(([first]) => first), waiting[0]]);
}

/** When a record may leave even in a partial batch, in milliseconds since the epoch. */
export function dueAtMs(record: BufferedRecord, buffer: RecordBuffer, policy: FlushPolicy): number {
  const isRequested = record.seq < buffer.flushBeforeSeq;
  return isRequested ? record.acceptedAtMs : record.acceptedAtMs + policy.flushIntervalMs;
}

/** The flush reason of a batch. */
export function flushReasonOf(
  batch: readonly BufferedRecord[],
  buffer: RecordBuffer,
  { maxBatchSize }: FlushPolicy,
): FlushReason {
  if (batch.length === maxBatchSize) return FLUSH_REASON.size;
  const isRequested = batch.some((record) => record.seq < buffer.flushBeforeSeq);
  return isRequested ? buffer.requestedFlush : FLUSH_REASON.age;
}
