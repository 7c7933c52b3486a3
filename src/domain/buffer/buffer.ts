import { FLUSH_REASON, type FlushReason } from '../records/batch';
import { jsonBytes, type JsonValue } from '../json';
import { recordIdOf } from '../records/record';

/** A record that was accepted and is in no batch yet. */
export interface BufferedRecord {
  requestId: string;
  /** Place in its request, from 0. */
  index: number;
  /** Length of its request, or {@link UNKNOWN_SIZE}. */
  requestSize: number;
  value: JsonValue;
  acceptedAtMs: number;
  /** Order of acceptance within this run of the batcher: the only order that fairness (G7) goes by. */
  seq: number;
  /** Size of the value as JSON in UTF-8. */
  bytes: number;
}

/** Flushes that somebody asked for. */
export type ByHand = Extract<FlushReason, 'manual' | 'drain'>;

/** A full batch that has been cut and waits for a free slot; its records still count as buffered. */
export type FullBatch = BufferedRecord[];

/**
 * The buffer in memory: records in order of acceptance, of which some are already cut into batches.
 * `bufferedRecords` and `bufferedBytes` count all of them. Derived from {@link PackedBuffer}; never stored itself.
 */
export interface RecordBuffer {
  /** Not cut yet, oldest first. */
  waiting: BufferedRecord[];
  /** Full batches, ordered by their oldest record. */
  full: FullBatch[];
  /** Batches that aren't full; `cut` may take them apart again, to fill them with what has arrived. */
  partial: BufferedRecord[][];
  /** Records with a smaller `seq` go whatever their age: a flush by hand, or a drain. */
  flushBeforeSeq: number;
  /** Which of the two the last one was. */
  byHand: ByHand;
  nextSeq: number;
  /** How many batches more than its lower bound the last cut made: so many of the partial ones. */
  beyondBound: number;
  bufferedRecords: number;
  bufferedBytes: number;
}

/**
 * Consecutive records of one request, accepted at the same time: [requestId, length of the request, acceptedAtMs,
 * index of the first value, values]. A tuple, because the worst case (10,000 requests of one record) has to fit into
 * one payload beside the values: about 62 bytes a run instead of 125 with member names.
 */
type PackedRun = [
  requestId: string,
  requestSize: number,
  acceptedAtMs: number,
  firstIndex: number,
  values: JsonValue[],
];

/** The buffer as plain JSON for continue-as-new: order of acceptance kept, ids and times said once per run. */
export interface PackedBuffer {
  runs: PackedRun[];
  /** How many of the oldest records are to go whatever their age. */
  flushOldest: number;
  /** Absent for `manual`. */
  byHand?: ByHand;
}

export function emptyBuffer(): RecordBuffer {
  return {
    waiting: [],
    full: [],
    partial: [],
    flushBeforeSeq: 0,
    byHand: FLUSH_REASON.manual,
    nextSeq: 0,
    beyondBound: 0,
    bufferedRecords: 0,
    bufferedBytes: 0,
  };
}

/** What one message brings of a request: all of it, or the values from `offset` on of one that comes in parts. */
export interface ArrivingRecords {
  requestId: string;
  values: readonly JsonValue[];
  offset?: number;
}

/** Length of a request that comes in parts: nobody knows it while they come. */
export const UNKNOWN_SIZE = 0;

/** Appends records behind what is there. */
export function appendRequest(
  buffer: RecordBuffer,
  { requestId, values, offset }: ArrivingRecords,
  acceptedAtMs: number,
): void {
  const size = offset === undefined ? values.length : UNKNOWN_SIZE;
  appendRun(buffer, requestId, size, acceptedAtMs, offset ?? 0, values);
}

/** Marks all that is buffered now as due, whatever its age. */
export function flushAll(buffer: RecordBuffer, byHand: ByHand): void {
  buffer.flushBeforeSeq = buffer.nextSeq;
  buffer.byHand = byHand;
}

/** How many records are to go whatever their age: the oldest ones. */
export function flushedByHand(buffer: RecordBuffer): number {
  let count = 0;
  for (const batch of [...buffer.full, ...buffer.partial, buffer.waiting]) {
    for (const record of batch) if (record.seq < buffer.flushBeforeSeq) count++;
  }
  return count;
}

/** Takes batches apart again: what has to happen when the rules or the batch size change. */
export function uncutAll(buffer: RecordBuffer): void {
  buffer.waiting = inOrder(buffer);
  buffer.full = [];
  buffer.partial = [];
  buffer.beyondBound = 0;
}

/** Every buffered record, in order of acceptance. */
export function inOrder(buffer: RecordBuffer): BufferedRecord[] {
  return everything(buffer).sort(bySeq);
}

/** The oldest buffered record. */
export function oldestRecord(buffer: RecordBuffer): BufferedRecord | undefined {
  return oldestOf([buffer.waiting[0], buffer.full[0]?.[0], ...buffer.partial.map(([first]) => first)]);
}

/** The oldest of some records. */
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

/** Indexes, in order, of the records of a request that are still buffered, with the length of the request. */
export function bufferedOf(
  buffer: RecordBuffer,
  requestId: string,
): { size: number | null; indexes: number[] } {
  // Sorted last: clients poll, which makes this the most frequent question to a large buffer.
  const records = everything(buffer)
    .filter((record) => record.requestId === requestId)
    .sort(bySeq);
  return { size: records[0]?.requestSize ?? null, indexes: records.map((record) => record.index) };
}

/** Most bytes of a packed buffer that holds nothing. */
const FRAME_BYTES = jsonBytes({ runs: [], flushOldest: 10_000_000, byHand: FLUSH_REASON.manual });

/** Upper bound of the size in bytes of {@link packBuffer}'s result as JSON, close to it, without making it. */
export function packedBytesBound(buffer: RecordBuffer): number {
  const records = inOrder(buffer);
  return records.reduce((bytes, record, i) => bytes + packedBytes(record, records[i - 1]), FRAME_BYTES);
}

export function packBuffer(buffer: RecordBuffer): PackedBuffer {
  const records = inOrder(buffer);
  const flushOldest = records.filter((record) => record.seq < buffer.flushBeforeSeq).length;
  const byHand = buffer.byHand === FLUSH_REASON.manual ? {} : { byHand: buffer.byHand };
  return { runs: packRecords(records), flushOldest, ...byHand };
}

/** Records, in order of acceptance, as plain JSON. */
export function packRecords(records: readonly BufferedRecord[]): PackedRun[] {
  const runs: PackedRun[] = [];
  for (const [i, record] of records.entries()) {
    if (continuesRun(records[i - 1], record)) runs.at(-1)?.[4].push(record.value);
    else runs.push(runOf(record, [record.value]));
  }
  return runs;
}

/** Cuts records, in order of acceptance, into stretches of at most `maxBytes` as packed JSON, or of a single record. */
export function stretchesOf(records: readonly BufferedRecord[], maxBytes: number): BufferedRecord[][] {
  const stretches: BufferedRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const current = stretches.at(-1);
    bytes += packedBytes(record, current?.at(-1));
    if (current !== undefined && bytes <= maxBytes) current.push(record);
    else {
      stretches.push([record]);
      bytes = packedBytes(record, undefined);
    }
  }
  return stretches;
}

/** Removes the youngest records, as far as what stays takes at most `maxBytes` as packed JSON. */
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
  buffer.bufferedRecords -= removed.length;
  for (const record of removed) buffer.bufferedBytes -= record.bytes;
  return removed;
}

/** Puts records back that have left, at their places in the order of acceptance. */
export function putBack(buffer: RecordBuffer, records: readonly BufferedRecord[]): void {
  uncutAll(buffer);
  buffer.waiting = [...buffer.waiting, ...records].sort(bySeq);
  buffer.bufferedRecords += records.length;
  for (const record of records) buffer.bufferedBytes += record.bytes;
}

/**
 * Removes records by their ids.
 * @param ids how many are to be removed that have this id, of which the oldest go; reduced by what is found
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
  buffer.bufferedRecords -= removed.length;
  for (const record of removed) buffer.bufferedBytes -= record.bytes;
  return removed;
}

/** What a record adds to a packed buffer, with the comma behind each value and each run. */
function packedBytes(record: BufferedRecord, previous: BufferedRecord | undefined): number {
  return record.bytes + 1 + (continuesRun(previous, record) ? 0 : jsonBytes(runOf(record, [])) + 1);
}

export function unpackBuffer(packed: PackedBuffer): RecordBuffer {
  const buffer = emptyBuffer();
  appendPacked(buffer, packed);
  return buffer;
}

/** Appends records that were packed, with what was to go by hand of them; all that is there is older. */
export function appendPacked(buffer: RecordBuffer, packed: PackedBuffer): void {
  const first = buffer.nextSeq;
  for (const run of packed.runs) appendRun(buffer, ...run);
  // What is older was asked for as well, then.
  if (packed.flushOldest > 0) buffer.flushBeforeSeq = first + packed.flushOldest;
  if (packed.byHand !== undefined) buffer.byHand = packed.byHand;
}

/** The identity of a buffered record. */
export function bufferedRecordId(record: BufferedRecord): string {
  return recordIdOf(record.requestId, record.index);
}

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
    });
    buffer.bufferedBytes += bytes;
  }
  buffer.bufferedRecords += values.length;
}

function runOf(first: BufferedRecord, values: JsonValue[]): PackedRun {
  return [first.requestId, first.requestSize, first.acceptedAtMs, first.index, values];
}

function continuesRun(previous: BufferedRecord | undefined, record: BufferedRecord): boolean {
  return (
    previous?.requestId === record.requestId &&
    previous.requestSize === record.requestSize &&
    previous.acceptedAtMs === record.acceptedAtMs &&
    previous.index + 1 === record.index
  );
}
