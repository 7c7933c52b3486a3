/*
 * MAX_SAVES_PER_SECOND where rules keep records out of one file (CONFLICT_SCOPE=file). Where they are kept apart while
 * they run, see apart/running-flushes.ts.
 *
 * The rate per value decides which records take part: those that it lets go are cut into batches as if there were no
 * others, so that no record holds back one of another value. The rate for all records decides how many of these batches
 * go: the oldest first, and none passes another.
 *
 *   never faster    Each batch is counted as it leaves the buffer.
 *   never starved   The oldest record of a value is the first to get what its bucket gains, and nobody else can take that.
 *                   Once it takes part, each batch that goes before its own has an older record, as without a pace.
 *   never busy      What can't go has a time at which it may, always a later step of the buckets' clock.
 */
import { inOrder, uncutAll, type BufferedRecord, type RecordBuffer } from '../buffer/buffer';
import { cut, isWorthCutting } from '../buffer/flush-cut';
import {
  nextFlushAtMs,
  readyBatches,
  takeFlushes,
  type Flush,
  type FlushPolicy,
} from '../buffer/flush-policy';
import type { Pace } from './pace';
import { STANDING, Standings } from './standings';

/** Records that are cut at a time, the oldest ones: it takes a millisecond or two. */
const MAX_CUT = 1000;

/** Like `takeFlushes`. The caller counts what goes by `pace.start`. */
export function takePacedFlushes(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  pace: Pace,
  nowMs: number,
  limit: number,
  maxBytes = Infinity,
): Flush[] {
  if (limit <= 0) return [];
  const taking = partOf(buffer, policy, pace, nowMs).taking;
  if (pace.roomFromMs(most(taking, policy)) > nowMs) return [];
  const flushes = takeFlushes(taking, policy, nowMs, limit, maxBytes, pace.room(nowMs));
  if (taking !== buffer) takeOut(buffer, flushes);
  return flushes;
}

/** Like `nextFlushAtMs`. */
export function nextPacedFlushAtMs(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  pace: Pace,
  nowMs: number,
): number | undefined {
  const { taking, standings } = partOf(buffer, policy, pace, nowMs);
  if (taking !== buffer && isWorthCutting(taking, policy, false, Infinity)) cut(taking, policy);
  const flushAtMs = nextFlushAtMs(taking, policy, nowMs);
  const roomFromMs = pace.roomFromMs(most(taking, policy));
  const times = [flushAtMs && Math.max(flushAtMs, roomFromMs), standings?.nextChangeAtMs()];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Like `readyBatches`. */
export function readyPacedBatches(
  buffer: RecordBuffer,
  policy: FlushPolicy,
  pace: Pace,
  nowMs: number,
): number {
  const ready = readyBatches(partOf(buffer, policy, pace, nowMs).taking, policy, nowMs);
  return Math.min(ready, Math.ceil(pace.room(nowMs) / policy.maxBatchSize));
}

/** The part of a buffer that may go by the rate per value; the buffer itself where there is none. */
export interface PacedPart {
  taking: RecordBuffer;
  standings?: Standings;
}

/** Changes nothing in the buffer. Where there is a rate per value, nothing of the part is cut. */
export function partOf(
  buffer: RecordBuffer,
  { maxBatchSize }: FlushPolicy,
  pace: Pace,
  nowMs: number,
): PacedPart {
  if (pace.values === undefined) return { taking: buffer };
  const records = buffer.full.length + buffer.partial.length === 0 ? buffer.waiting : inOrder(buffer);
  const standings = new Standings(records, pace, nowMs);
  const waiting: BufferedRecord[] = [];
  for (const record of records) {
    if (standings.of(record) !== STANDING.free) continue;
    waiting.push(record);
    if (waiting.length >= Math.max(MAX_CUT, maxBatchSize)) break;
  }
  const bufferedBytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  const part = { waiting, full: [], partial: [], beyondBound: 0, bufferedRecords: waiting.length };
  return { taking: { ...buffer, ...part, bufferedBytes }, standings };
}

/** No batch of a buffer has more records. */
function most({ bufferedRecords }: RecordBuffer, { maxBatchSize }: FlushPolicy): number {
  return Math.min(maxBatchSize, bufferedRecords);
}

function takeOut(buffer: RecordBuffer, flushes: readonly Flush[]): void {
  if (flushes.length === 0) return;
  const gone = new Set(flushes.flatMap(({ records }) => records));
  uncutAll(buffer);
  buffer.waiting = buffer.waiting.filter((record) => !gone.has(record));
  for (const { bytes } of gone) buffer.bufferedBytes -= bytes;
  buffer.bufferedRecords -= gone.size;
}
