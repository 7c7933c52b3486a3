import { FLUSH_REASON } from '../records/batch';
import { bufferedRecordId, type BufferedRecord, type RecordBuffer } from '../buffer/buffer';
import { MAX_BATCH_BYTES } from '../buffer/flush-cut';
import { dueAtMs, reasonOf, type Flush, type FlushPolicy } from '../buffer/flush-policy';
import type { Pace } from '../pace/pace';
import { STANDING, Standings, type Standing } from '../pace/standings';
import type { Held } from './held';
import type { Hold, Holds } from './holds';
import { SlotsAhead } from './slots';

/*
 * CONFLICT_SCOPE=running: records that a rule keeps apart share no batch, and are not in flight at the same time either,
 * nor within APART_MS of one another's end.
 *
 * The waiting records are gone through from the oldest on. One may go if it conflicts with none in flight, with none that
 * ended less than APART_MS ago, with none that goes now, and if each older one that stays and that it conflicts with stays
 * beside one that goes: that one it conflicts with too, and has to wait for. So
 *
 *   apart         What goes conflicts with nothing that is in flight, goes as well, or ended too recently.
 *   no deadlock   The oldest waiting record waits for nothing that waits: only for batches in flight and for time, and
 *                 both end by themselves.
 *   no starvation Whenever a record goes before an older one that it conflicts with, one goes at the same moment that is
 *                 older than both and conflicts with the latter. So while a record waits, what it conflicts with starts at
 *                 no more moments than it had such records ahead of it when it came, whatever comes after.
 *   the others    Whether a record may go hangs on those that it conflicts with, and on those that these conflict with.
 *                 One that conflicts with none goes when it is due, or fills a batch, as if there were no rules.
 *
 * Those that go don't conflict with one another. So cutting them is no art: by maxBatchSize, the oldest first, in the
 * fewest batches that there are. Nothing is cut before it can start.
 *
 * With MAX_SAVES_PER_SECOND per value, a record whose bucket has nothing for it counts as not there: it neither goes nor
 * keeps a younger one waiting. Once its bucket has something, it counts as above, also while that bucket is being filled;
 * from then on until it goes, no younger record of its value takes that away. So the above holds from that moment on.
 *
 * Conflicts are looked up by slot, never by comparing two records: one look costs time linear in what the records that are
 * looked at hold. It ends with the last record that is needed.
 */

/** What is known of conflicts: what records take, and what is taken. */
export interface Apart {
  holds: Holds;
  held: Held;
}

/**
 * Like `takeFlushes`, with conflicting records kept apart while they run. Whoever starts a batch tells `apart.held` and
 * `pace`.
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
  for (const { records, bytes: ofBatch, isFull } of batchesThatMayGo(buffer, policy, apart, standings)) {
    if ((!isFull && !records.some(isDue)) || records.length > room) break;
    flushes.push({ records, reason: isFull ? FLUSH_REASON.size : reasonOf(records, buffer, policy) });
    room -= records.length;
    bytes += ofBatch;
    if (flushes.length >= limit || bytes >= maxBytes) break;
  }
  remove(buffer, flushes);
  return flushes;
}

/**
 * When {@link takeRunningFlushes} gives something at the earliest if nothing arrives and no batch ends before, not in the
 * past; `undefined` for never.
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

/** Whether there are records and none of them may go, however old they are. */
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

/** What leaves together next, as far as it is known now. */
export interface NextBatch {
  readonly records: readonly BufferedRecord[];
  /** Whether it goes whatever the age of its records. */
  readonly isFull: boolean;
}

/** Records that leave together, or would. */
class OpenBatch implements NextBatch {
  readonly records: BufferedRecord[] = [];
  bytes = 0;
  isFull = false;
  private readonly ids = new Set<string>();
  private readonly keys = new Set<string>();

  hasRoomFor({ bytes }: BufferedRecord): boolean {
    return this.records.length === 0 || this.bytes + bytes <= MAX_BATCH_BYTES;
  }

  /** A record that waits twice, as one sent again after its key was forgotten, would be taken for itself. */
  isWithout(record: BufferedRecord): boolean {
    return !this.ids.has(bufferedRecordId(record));
  }

  get holdsNothing(): boolean {
    return this.keys.size === 0;
  }

  /** What it would hold besides. */
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
 * Full batches of the waiting records that may go, the oldest first, then the rest of them in one that isn't full. Changes
 * nothing; what ended is let go by others.
 */
export function* batchesThatMayGo(
  { waiting }: RecordBuffer,
  { maxBatchSize }: FlushPolicy,
  { holds, held }: Apart,
  standings?: Standings,
): Generator<OpenBatch, void> {
  const ahead = new SlotsAhead();
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
    const goes = isApart && batch.isWithout(record) && room.takes(batch.addedBy(taken), batch.holdsNothing);
    ahead.add(taken, goes);
    if (!goes) continue;
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
