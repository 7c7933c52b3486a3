import { FLUSH_REASON } from '../records/batch';
import { bufferedRecordId, type BufferedRecord, type RecordBuffer } from '../buffer/buffer';
import { MAX_BATCH_BYTES } from '../buffer/flush-cut';
import { dueAtMs, flushReasonOf, type Flush, type FlushPolicy } from '../buffer/flush-policy';
import type { Pace } from '../pace/pace';
import { STANDING, Standings, type Standing } from '../pace/standings';
import type { Held } from './held';
import type { Hold, Holds } from './holds';
import { PlacesAhead } from './taken-places';

/*
 * CONFLICT_SCOPE=running: records that a rule keeps apart share no batch, are not in flight at the same time, and don't
 * start within APART_MS of each other's end.
 *
 * The waiting records are visited oldest first. A record may leave if it conflicts with no record that is in flight, ended
 * less than APART_MS ago, or leaves now; and if every older waiting record that it conflicts with is at the same place as
 * a record that leaves now on this record's side. That older record conflicts with the leaving one as well, and has to
 * wait for it anyway. Therefore:
 *
 *   apart         A record that leaves conflicts with none that is in flight, leaves now, or ended too recently.
 *   no deadlock   The oldest waiting record waits for no waiting record: only for batches in flight and for time, and
 *                 both pass by themselves.
 *   no starvation Whenever a record leaves before an older one that it conflicts with, a record leaves at the same time
 *                 that is older than both and conflicts with the one that waits. So while a record waits, conflicting
 *                 records start at most as many times as there were conflicting records ahead of it when it arrived.
 *   independence  Whether a record may leave depends only on the records that it conflicts with, and on those that these
 *                 conflict with. A record without conflicts leaves as if there were no rules.
 *
 * Records that leave together have no conflicts, so they are cut by maxBatchSize, oldest first, which gives the fewest
 * batches. Nothing is cut before it can start.
 *
 * With MAX_SAVES_PER_SECOND per value, a record whose bucket has nothing for it counts as not there: it neither goes nor
 * keeps a younger one waiting. Once its bucket has something, it counts as above, also while that bucket is being filled;
 * from then on until it goes, no younger record of its value takes that away. So the above holds from that moment on.
 *
 * Conflicts are looked up by place; records are never compared in pairs. The cost is linear in the holds of the visited
 * records, and the visit ends with the last record that is needed.
 */

/** What keeps records apart while they run: a function from records to holds, and the current holds. */
export interface Apart {
  holds: Holds;
  held: Held;
}

/**
 * Like `takeFlushes`, with conflicting records kept apart while they run. The caller must report every batch that starts
 * to `apart.held` and to `pace`.
 */
export function takeRunningFlushes(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  apart: Apart,
  nowMs: number,
  limit: number,
  maxBytes = Infinity,
  pace: Pace | null = null,
): Flush[] {
  if (limit <= 0 || maxBytes <= 0) return [];
  apart.held.release(nowMs);
  let room = pace?.room(nowMs) ?? Infinity;
  const isDue = (record: BufferedRecord) => dueAtMs(record, buffer, policy) <= nowMs;
  const flushes: Flush[] = [];
  let bytes = 0;
  const standings = standingsOf(buffer, pace, nowMs);
  for (const { records, bytes: batchBytes, isFull } of batchesThatMayGo(buffer, policy, apart, standings)) {
    if ((!isFull && !records.some(isDue)) || records.length > room) break;
    flushes.push({ records, reason: isFull ? FLUSH_REASON.size : flushReasonOf(records, buffer, policy) });
    room -= records.length;
    bytes += batchBytes;
    if (flushes.length >= limit || bytes >= maxBytes) break;
  }
  remove(buffer, flushes);
  return flushes;
}

/**
 * The earliest time at which {@link takeRunningFlushes} returns something if no record arrives and no batch ends before,
 * in milliseconds since the epoch and not before `nowMs`; `undefined` for never.
 */
export function nextRunningFlushAtMs(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  apart: Apart,
  nowMs: number,
  pace: Pace | null = null,
): number | undefined {
  const standings = standingsOf(buffer, pace, nowMs);
  const first = firstThatMayGo(buffer, policy, apart, nowMs, standings);
  const fromMs = Math.max(nowMs, pace?.roomFromMs(first.records.length) ?? nowMs);
  if (first.isFull) return fromMs;
  const [oldest] = first.records;
  const dueMs = oldest && Math.max(fromMs, dueAtMs(oldest, buffer, policy));
  const releaseMs = first.records.length < buffer.waiting.length ? apart.held.nextReleaseAtMs() : undefined;
  const times = [dueMs, releaseMs, standings?.nextChangeAtMs()].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Whether conflicts keep all waiting records from leaving, regardless of their age; false for an empty buffer. */
export function isHeldUp(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  apart: Apart,
  nowMs: number,
  pace: Pace | null = null,
): boolean {
  if (buffer.waiting.length === 0) return false;
  const standings = standingsOf(buffer, pace, nowMs);
  return firstThatMayGo(buffer, policy, apart, nowMs, standings).records.length === 0;
}

function standingsOf({ waiting }: RecordBuffer, pace: Pace | null, nowMs: number): Standings | undefined {
  return pace === null ? undefined : new Standings(waiting, pace, nowMs);
}

/** Records that could leave in the same batch now. */
export interface NextBatch {
  readonly records: readonly BufferedRecord[];
  /** Whether the batch leaves regardless of the age of its records. */
  readonly isFull: boolean;
}

class OpenBatch implements NextBatch {
  readonly records: BufferedRecord[] = [];
  bytes = 0;
  isFull = false;
  private readonly ids = new Set<string>();
  private readonly keys = new Set<string>();

  hasRoomFor({ bytes }: BufferedRecord): boolean {
    return this.records.length === 0 || this.bytes + bytes <= MAX_BATCH_BYTES;
  }

  /** A record is buffered twice if it was sent again after its key was forgotten. The two must not share a batch. */
  has(record: BufferedRecord): boolean {
    return this.ids.has(bufferedRecordId(record));
  }

  get hasNoHolds(): boolean {
    return this.keys.size === 0;
  }

  /** Those of a record's holds that the batch doesn't have yet. */
  addedBy(holds: readonly Hold[]): Hold[] {
    return holds.filter(({ key }) => !this.keys.has(key));
  }

  add(record: BufferedRecord, holds: readonly Hold[]): void {
    this.records.push(record);
    this.bytes += record.bytes;
    this.ids.add(bufferedRecordId(record));
    for (const { key } of holds) this.keys.add(key);
  }
}

function firstThatMayGo(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  apart: Apart,
  nowMs: number,
  standings: Standings | undefined,
): NextBatch {
  apart.held.release(nowMs);
  for (const batch of batchesThatMayGo(buffer, policy, apart, standings)) return batch;
  return { records: [], isFull: false };
}

/**
 * The batches of the waiting records that may leave: full ones, oldest first, then one partial batch, possibly empty.
 * Changes neither the buffer nor `held`; call `held.release` before.
 */
export function* batchesThatMayGo(
  { waiting }: RecordBuffer,
  { maxBatchSize }: FlushPolicy,
  { holds, held }: Apart,
  standings?: Standings,
): Generator<OpenBatch, void> {
  const ahead = new PlacesAhead();
  const room = held.room();
  let batch = new OpenBatch();
  for (const record of waiting) {
    const standing: Standing = standings?.of(record) ?? STANDING.free;
    if (standing === STANDING.held) continue;
    const taken = holds.of(record);
    if (standing === STANDING.gathers) {
      ahead.add(taken, false);
      continue;
    }
    const isApart = ahead.lets(taken) && !held.keepsApart(taken);
    if (isApart && !batch.hasRoomFor(record)) {
      batch.isFull = true;
      yield batch;
      batch = new OpenBatch();
    }
    const leaves = isApart && !batch.has(record) && room.takes(batch.addedBy(taken), batch.hasNoHolds);
    ahead.add(taken, leaves);
    if (!leaves) continue;
    batch.add(record, taken);
    if (batch.records.length < maxBatchSize) continue;
    batch.isFull = true;
    yield batch;
    batch = new OpenBatch();
  }
  yield batch;
}

function remove(buffer: RecordBuffer, flushes: readonly Flush[]): void {
  if (flushes.length === 0) return;
  const gone = new Set(flushes.flatMap(({ records }) => records));
  buffer.waiting = buffer.waiting.filter((record) => !gone.has(record));
  for (const { bytes } of gone) buffer.bufferedBytes -= bytes;
  buffer.bufferedRecords -= gone.size;
}
