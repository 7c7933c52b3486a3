import { FLUSH_REASON, type FlushReason } from '../records/batch';
import { jsonBytes, type JsonValue } from '../json';
import { portions } from '../portions';
import { recordIdOf, totalBytes } from '../records/record';
import { withTrace, type TraceContext } from '../records/trace-context';

/** A record that was accepted and hasn't left in a batch. */
export interface BufferedRecord {
  requestId: string;
  /** Index in its request, from 0. */
  index: number;
  /** Number of records of its request, or {@link UNKNOWN_SIZE}. */
  requestSize: number;
  value: JsonValue;
  /** Milliseconds since the epoch. */
  acceptedAtMs: number;
  /** Order of acceptance within this run of the batcher; fairness (G7) is defined by it alone. */
  seq: number;
  /** Size of the value as JSON in UTF-8. */
  bytes: number;
  /** Set if its request is sampled. */
  trace?: TraceContext;
}

/** Flush reasons of an operator's calls. */
export type RequestedFlush = Extract<FlushReason, 'manual' | 'drain'>;

/** A full batch that has been cut and waits for a slot; its records still count as buffered. */
export type FullBatch = BufferedRecord[];

/**
 * The buffer in memory, derived from {@link PackedBuffer}. Some of its records are already cut into batches;
 * `bufferedRecords` and `bufferedBytes` count those as well.
 */
export interface RecordBuffer {
  /** Not cut yet, oldest first. */
  waiting: BufferedRecord[];
  /** Full batches, ordered by their oldest record. */
  full: FullBatch[];
  /** Batches that aren't full. `cut` may divide their records again, together with new ones. */
  partial: BufferedRecord[][];
  /** Records with a smaller `seq` leave regardless of their age, because of a manual flush or a drain. */
  flushBeforeSeq: number;
  /** The kind of the last such flush. */
  requestedFlush: RequestedFlush;
  nextSeq: number;
  /** By how many batches the last cut exceeded its lower bound. They are among the partial ones. */
  beyondBound: number;
  bufferedRecords: number;
  bufferedBytes: number;
}

/**
 * Consecutive records of one request, accepted at the same time: [requestId, number of records of the request,
 * acceptedAtMs, index of the first value, values, and the request's trace context if it is sampled]. A tuple, because the worst case (10,000 requests of one record) has to
 * fit into one payload: about 62 bytes per run instead of 125 with member names.
 */
type PackedRun = [
  requestId: string,
  requestSize: number,
  acceptedAtMs: number,
  firstIndex: number,
  values: JsonValue[],
  ...trace: [] | [TraceContext],
];

/** The buffer as plain JSON for continue-as-new, in order of acceptance. */
export interface PackedBuffer {
  runs: PackedRun[];
  /** How many of the oldest records leave regardless of their age. */
  flushOldest: number;
  /** See {@link RecordBuffer.requestedFlush}; absent for `manual`. */
  byHand?: RequestedFlush;
}

export function emptyBuffer(): RecordBuffer {
  return {
    waiting: [],
    full: [],
    partial: [],
    flushBeforeSeq: 0,
    requestedFlush: FLUSH_REASON.manual,
    nextSeq: 0,
    beyondBound: 0,
    bufferedRecords: 0,
    bufferedBytes: 0,
  };
}

/** The records of a request in one message: all of them, or for a stream those from index `offset` on. */
export interface ArrivingRecords {
  requestId: string;
  values: readonly JsonValue[];
  offset?: number;
  trace?: TraceContext;
}

/** Stands for the number of records of a stream, which is unknown until its end. */
export const UNKNOWN_SIZE = 0;

/** Appends records as the youngest. */
export function appendRequest(
  buffer: RecordBuffer,
  { requestId, values, offset, trace }: ArrivingRecords,
  acceptedAtMs: number,
): void {
  const size = offset === undefined ? values.length : UNKNOWN_SIZE;
  appendRun(buffer, requestId, size, acceptedAtMs, offset ?? 0, values, trace);
}

/** Marks all buffered records as due, regardless of their age. */
export function flushAll(buffer: RecordBuffer, requestedFlush: RequestedFlush): void {
  buffer.flushBeforeSeq = buffer.nextSeq;
  buffer.requestedFlush = requestedFlush;
}

/** How many buffered records are due because of {@link flushAll}. They are the oldest ones. */
export function countRequested(buffer: RecordBuffer): number {
  let count = 0;
  for (const batch of [...buffer.full, ...buffer.partial, buffer.waiting]) {
    for (const record of batch) if (record.seq < buffer.flushBeforeSeq) count++;
  }
  return count;
}

/** Moves the records of all batches back to `waiting`. Needed when the rules or the batch size change. */
export function uncutAll(buffer: RecordBuffer): void {
  buffer.waiting = inOrder(buffer);
  buffer.full = [];
  buffer.partial = [];
  buffer.beyondBound = 0;
}

/** All buffered records, in order of acceptance. */
export function inOrder(buffer: RecordBuffer): BufferedRecord[] {
  return everything(buffer).sort(bySeq);
}

/** The oldest buffered record; undefined if the buffer is empty. */
export function oldestRecord(buffer: RecordBuffer): BufferedRecord | undefined {
  return oldestOf([buffer.waiting[0], buffer.full[0]?.[0], ...buffer.partial.map(([first]) => first)]);
}

/** The oldest of these records; undefined if there is none. */
export function oldestOf(records: readonly (BufferedRecord | undefined)[]): BufferedRecord | undefined {
  let oldest: BufferedRecord | undefined;
  for (const record of records) {
    if (record !== undefined && (oldest === undefined || record.seq < oldest.seq)) oldest = record;
  }
  return oldest;
}

function everything(buffer: RecordBuffer): BufferedRecord[] {
  return [...buffer.full.flat(), ...buffer.partial.flat(), ...buffer.waiting];
}

/**
 * The buffered records of a request: their indexes, in order of acceptance, and the size of the request, null if none
 * is buffered.
 */
export function bufferedOf(
  buffer: RecordBuffer,
  requestId: string,
): { size: number | null; indexes: number[] } {
  // Filters before it sorts: clients poll, which makes this the most frequent query of a large buffer.
  const records = everything(buffer)
    .filter((record) => record.requestId === requestId)
    .sort(bySeq);
  return { size: records[0]?.requestSize ?? null, indexes: records.map((record) => record.index) };
}

/** Upper bound of the size of an empty packed buffer, in bytes. */
const FRAME_BYTES = jsonBytes({ runs: [], flushOldest: 10_000_000, byHand: FLUSH_REASON.manual });

/** A close upper bound of the size of {@link packBuffer}'s result as JSON, in bytes, without building it. */
export function packedBytesBound(buffer: RecordBuffer): number {
  const records = inOrder(buffer);
  return records.reduce((bytes, record, i) => bytes + packedBytes(record, records[i - 1]), FRAME_BYTES);
}

/** The buffer as plain JSON; {@link unpackBuffer} restores it, with its batches uncut. Doesn't change the buffer. */
export function packBuffer(buffer: RecordBuffer): PackedBuffer {
  const records = inOrder(buffer);
  const flushOldest = records.filter((record) => record.seq < buffer.flushBeforeSeq).length;
  const byHand = buffer.requestedFlush === FLUSH_REASON.manual ? {} : { byHand: buffer.requestedFlush };
  return { runs: packRecords(records), flushOldest, ...byHand };
}

/** Records, given in order of acceptance, as plain JSON. */
export function packRecords(records: readonly BufferedRecord[]): PackedRun[] {
  const runs: PackedRun[] = [];
  for (const [i, record] of records.entries()) {
    if (continuesRun(records[i - 1], record)) runs.at(-1)?.[4].push(record.value);
    else runs.push(runOf(record, [record.value]));
  }
  return runs;
}

/**
 * Splits records, given in order of acceptance, into portions of at most `maxBytes` as packed JSON, or of one record.
 */
export function portionsWithin(records: readonly BufferedRecord[], maxBytes: number): BufferedRecord[][] {
  return portions(records, { bytes: maxBytes }, packedBytes);
}

/**
 * Removes the youngest records until the buffer takes at most `maxBytes` as packed JSON. Returns them, oldest first.
 */
export function removeBeyond(buffer: RecordBuffer, maxBytes: number): BufferedRecord[] {
  if (packedBytesBound(buffer) <= maxBytes) return [];
  uncutAll(buffer);
  let bytes = FRAME_BYTES;
  let kept = 0;
  for (const [i, record] of buffer.waiting.entries()) {
    bytes += packedBytes(record, buffer.waiting[i - 1]);
    if (bytes > maxBytes) break;
    kept++;
  }
  const removed = buffer.waiting.splice(kept);
  return subtract(buffer, removed);
}

/** Puts back records that had left, in order of acceptance. */
export function putBack(buffer: RecordBuffer, records: readonly BufferedRecord[]): void {
  uncutAll(buffer);
  buffer.waiting = [...buffer.waiting, ...records].sort(bySeq);
  buffer.bufferedRecords += records.length;
  buffer.bufferedBytes += totalBytes(records);
}

/**
 * Removes records by id, and returns them.
 * @param ids how many records to remove per id, the oldest first; reduced by the number found
 */
export function removeRecords(buffer: RecordBuffer, ids: Map<string, number>): BufferedRecord[] {
  uncutAll(buffer);
  const removed: BufferedRecord[] = [];
  buffer.waiting = buffer.waiting.filter((record) => {
    const id = bufferedRecordId(record);
    const left = ids.get(id) ?? 0;
    if (left === 0) return true;
    ids.set(id, left - 1);
    removed.push(record);
    return false;
  });
  return subtract(buffer, removed);
}

/** Subtracts removed records from the totals. */
function subtract(buffer: RecordBuffer, removed: BufferedRecord[]): BufferedRecord[] {
  buffer.bufferedRecords -= removed.length;
  buffer.bufferedBytes -= totalBytes(removed);
  return removed;
}

/** Size that a record adds to a packed buffer, including the commas after its value and its run. */
function packedBytes(record: BufferedRecord, previous: BufferedRecord | undefined): number {
  return record.bytes + 1 + (continuesRun(previous, record) ? 0 : jsonBytes(runOf(record, [])) + 1);
}

/** The inverse of {@link packBuffer}. */
export function unpackBuffer(packed: PackedBuffer): RecordBuffer {
  const buffer = emptyBuffer();
  appendPacked(buffer, packed);
  return buffer;
}

/** Appends packed records as the youngest, and marks those as due that were. */
export function appendPacked(buffer: RecordBuffer, packed: PackedBuffer): void {
  const first = buffer.nextSeq;
  for (const [requestId, requestSize, acceptedAtMs, firstIndex, values, trace] of packed.runs)
    appendRun(buffer, requestId, requestSize, acceptedAtMs, firstIndex, values, trace);
  // A flush of younger records includes all older ones.
  if (packed.flushOldest > 0) buffer.flushBeforeSeq = first + packed.flushOldest;
  if (packed.byHand !== undefined) buffer.requestedFlush = packed.byHand;
}

/** The `recordId` of a buffered record. */
export function bufferedRecordId(record: BufferedRecord): string {
  return recordIdOf(record.requestId, record.index);
}

/** Compares by order of acceptance; for `sort`. */
export function bySeq(a: BufferedRecord, b: BufferedRecord): number {
  return a.seq - b.seq;
}

function appendRun(
  buffer: RecordBuffer,
  requestId: string,
  requestSize: number,
  acceptedAtMs: number,
  firstIndex: number,
  values: readonly JsonValue[],
  trace?: TraceContext,
): void {
  for (const [offset, value] of values.entries()) {
    const bytes = jsonBytes(value);
    const seq = buffer.nextSeq++;
    buffer.waiting.push({
      requestId,
      index: firstIndex + offset,
      requestSize,
      value,
      acceptedAtMs,
      seq,
      bytes,
      ...withTrace(trace),
    });
    buffer.bufferedBytes += bytes;
  }
  buffer.bufferedRecords += values.length;
}

function runOf(first: BufferedRecord, values: JsonValue[]): PackedRun {
  const { requestId, requestSize, acceptedAtMs, index, trace } = first;
  return trace === undefined
    ? [requestId, requestSize, acceptedAtMs, index, values]
    : [requestId, requestSize, acceptedAtMs, index, values, trace];
}

function continuesRun(previous: BufferedRecord | undefined, record: BufferedRecord): boolean {
  return (
    previous?.requestId === record.requestId &&
    previous.requestSize === record.requestSize &&
    previous.acceptedAtMs === record.acceptedAtMs &&
    previous.trace === record.trace &&
    previous.index + 1 === record.index
  );
}
