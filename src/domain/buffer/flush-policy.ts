import { FLUSH_REASON, type FlushReason } from '../records/batch';
import { oldestOf, type BufferedRecord, type RecordBuffer } from './buffer';
import { bytesOf, cut, fillFromWaiting, isWorthCutting, oldestSeq, type CutPolicy } from './flush-cut';

/** What decides when records leave the buffer, and in which company. */
export interface FlushPolicy extends CutPolicy {
  /** Age of a record at which it goes even in a batch that isn't full. */
  flushIntervalMs: number;
}

/** Records that leave the buffer together, oldest first. */
export interface Flush {
  records: BufferedRecord[];
  reason: FlushReason;
  /** Whether it is one of those that the partitioner made beyond the lower bound of what it cut. */
  beyondBound?: true;
}

/**
 * Takes up to `limit` batches out of the buffer, those with the oldest records first (G7).
 *
 * Two kinds of batch may go: full ones, as soon as there are any (`size`), and partial ones that hold a due record
 * (`age`, or `manual` after a flush by hand), filled up with younger records that fit. Partial batches go only at the
 * moment when one can start: while the store is busy they keep filling. Full ones are cut once and stay cut. Taking
 * batches away never costs the rest a batch more where the partition has the fewest.
 *
 * The bound of G7: a due record with n older ones in the buffer is in one of the next n + 1 batches that go, whatever
 * arrives meanwhile and whatever conflicts. Batches go in the order of their oldest records, and a batch with a due
 * record may go, full or not; so each batch before the record's own takes one of the n at least. Where every two records
 * conflict, it does take n + 1; without any conflict, it takes ⌊n / maxBatchSize⌋ + 1.
 *
 * No batch takes more than `MAX_BATCH_BYTES`, and taking ends with the batch that reaches `maxBytes`: each batch
 * becomes a payload, and those that start in one workflow task one message, of which Temporal takes 2 and 4 MiB. It also
 * ends before the batch with which there would be more than `maxRecords`: none passes an older one that is too large.
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
      flush = { records, reason: reasonOf(records, buffer, policy) };
      // Full batches are as few as can be: what is beyond the bound is among the partial ones.
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
    bytes += bytesOf(flush.records);
  }
  buffer.full.splice(0, fulls);
  const gone = new Set(due.slice(0, partials));
  if (gone.size > 0) buffer.partial = buffer.partial.filter((batch) => !gone.has(batch));
  for (const { records } of flushes) buffer.bufferedRecords -= records.length;
  buffer.bufferedBytes -= bytes;
  return flushes;
}

/**
 * When `takeFlushes` gives something at the earliest, in milliseconds since the epoch and not in the past;
 * `undefined` while there is nothing to give. What has not been cut may hold a full batch, so it is looked at once.
 */
export function nextFlushAtMs(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number): number | undefined {
  if (buffer.full.length > 0 || isWorthCutting(buffer, policy, false, Infinity)) return nowMs;
  const oldest = oldestUnfull(buffer);
  return oldest && Math.max(nowMs, dueAtMs(oldest, buffer, policy));
}

/** How many batches `takeFlushes` would give without a limit: close to it, without cutting anything. */
export function readyBatches(buffer: RecordBuffer, policy: FlushPolicy, nowMs: number): number {
  const isDue = (record: BufferedRecord) => dueAtMs(record, buffer, policy) <= nowMs;
  const dueBatches = buffer.partial.filter((batch) => batch.some(isDue)).length;
  const uncut = buffer.waiting.length / policy.maxBatchSize;
  const [oldest] = buffer.waiting;
  const fromUncut = oldest !== undefined && isDue(oldest) ? Math.ceil(uncut) : Math.floor(uncut);
  return buffer.full.length + dueBatches + fromUncut;
}

/** The oldest record that is in no full batch. */
function oldestUnfull({ partial, waiting }: RecordBuffer): BufferedRecord | undefined {
  return oldestOf([...partial.map(([first]) => first), waiting[0]]);
}

/** When a record goes even in a batch that isn't full, in milliseconds since the epoch. */
export function dueAtMs(record: BufferedRecord, buffer: RecordBuffer, policy: FlushPolicy): number {
  const byHand = record.seq < buffer.flushBeforeSeq;
  return byHand ? record.acceptedAtMs : record.acceptedAtMs + policy.flushIntervalMs;
}

/** Why a batch goes. */
export function reasonOf(
  batch: readonly BufferedRecord[],
  buffer: RecordBuffer,
  { maxBatchSize }: FlushPolicy,
): FlushReason {
  if (batch.length === maxBatchSize) return FLUSH_REASON.size;
  return batch.some((record) => record.seq < buffer.flushBeforeSeq) ? buffer.byHand : FLUSH_REASON.age;
}
