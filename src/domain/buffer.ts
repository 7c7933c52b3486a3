import { jsonBytes, type JsonValue } from './json';
import { recordIdOf } from './record';

/** A record that was accepted and is in no batch yet. */
export interface BufferedRecord {
  requestId: string;
  /** Place in its request, from 0. */
  index: number;
  /** Length of its request. */
  requestSize: number;
  value: JsonValue;
  acceptedAtMs: number;
  /** Order of acceptance within this run of the batcher: the only order that fairness (G7) goes by. */
  seq: number;
  /** Size of the value as JSON in UTF-8. */
  bytes: number;
}

/** A full batch that has been cut and waits for a free slot; its records still count as buffered. */
export type FullBatch = BufferedRecord[];

/**
 * The buffer in memory: records in order of acceptance, of which some are already cut into full batches.
 * `bufferedRecords` and `bufferedBytes` count both kinds. Derived from {@link PackedBuffer}; never stored itself.
 */
export interface RecordBuffer {
  /** Not cut yet, oldest first. */
  waiting: BufferedRecord[];
  /** Full batches, ordered by their oldest record. */
  full: FullBatch[];
  /**
   * How many of `waiting` arrived since the last cut. While 0, they are not cut again to look for full batches: there
   * are none where the partition is optimal; elsewhere a lucky one is missed until something arrives or is due.
   */
  uncut: number;
  /** Records with a smaller `seq` go whatever their age (a manual flush). */
  flushBeforeSeq: number;
  nextSeq: number;
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
  /** How many of the oldest records a manual flush has asked for. */
  flushOldest: number;
}

export function emptyBuffer(): RecordBuffer {
  return {
    waiting: [],
    full: [],
    uncut: 0,
    flushBeforeSeq: 0,
    nextSeq: 0,
    bufferedRecords: 0,
    bufferedBytes: 0,
  };
}

/** Appends a whole request behind what is there. */
export function appendRequest(
  buffer: RecordBuffer,
  request: { requestId: string; values: readonly JsonValue[] },
  acceptedAtMs: number,
): void {
  appendRun(buffer, request.requestId, request.values.length, acceptedAtMs, 0, request.values);
}

/** Marks all that is buffered now as due, whatever its age. */
export function flushAll(buffer: RecordBuffer): void {
  buffer.flushBeforeSeq = buffer.nextSeq;
}

/** Takes full batches apart again: what has to happen when the rules or the batch size change. */
export function uncutAll(buffer: RecordBuffer): void {
  buffer.waiting = inOrder(buffer);
  buffer.full = [];
  buffer.uncut = buffer.waiting.length;
}

/** Every buffered record, in order of acceptance. */
export function inOrder(buffer: RecordBuffer): BufferedRecord[] {
  return [...buffer.full.flat(), ...buffer.waiting].sort(bySeq);
}

/** The oldest buffered record. */
export function oldestRecord(buffer: RecordBuffer): BufferedRecord | undefined {
  const waiting = buffer.waiting[0];
  const cut = buffer.full[0]?.[0];
  if (waiting === undefined || cut === undefined) return waiting ?? cut;
  return waiting.seq < cut.seq ? waiting : cut;
}

/** Indexes, in order, of the records of a request that are still buffered, with the length of the request. */
export function bufferedOf(
  buffer: RecordBuffer,
  requestId: string,
): { size: number | null; indexes: number[] } {
  // Sorted last: clients poll, which makes this the most frequent question to a large buffer.
  const records = [...buffer.full.flat(), ...buffer.waiting]
    .filter((record) => record.requestId === requestId)
    .sort(bySeq);
  return { size: records[0]?.requestSize ?? null, indexes: records.map((record) => record.index) };
}

/** Upper bound of the size in bytes of {@link packBuffer}'s result as JSON, close to it, without making it. */
export function packedBytesBound(buffer: RecordBuffer): number {
  let bytes = jsonBytes({ runs: [], flushOldest: buffer.bufferedRecords });
  // A comma behind each value and each run.
  bytes += buffer.bufferedBytes + buffer.bufferedRecords;
  let previous: BufferedRecord | undefined;
  for (const record of inOrder(buffer)) {
    if (!continuesRun(previous, record)) bytes += jsonBytes(runOf(record, [])) + 1;
    previous = record;
  }
  return bytes;
}

export function packBuffer(buffer: RecordBuffer): PackedBuffer {
  const runs: PackedRun[] = [];
  let flushOldest = 0;
  let previous: BufferedRecord | undefined;
  for (const record of inOrder(buffer)) {
    if (record.seq < buffer.flushBeforeSeq) flushOldest++;
    if (continuesRun(previous, record)) runs.at(-1)?.[4].push(record.value);
    else runs.push(runOf(record, [record.value]));
    previous = record;
  }
  return { runs, flushOldest };
}

export function unpackBuffer(packed: PackedBuffer): RecordBuffer {
  const buffer = emptyBuffer();
  for (const run of packed.runs) appendRun(buffer, ...run);
  buffer.flushBeforeSeq = packed.flushOldest;
  return buffer;
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
  buffer.uncut += values.length;
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
