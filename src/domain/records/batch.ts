import type { KeptRecord } from './record';

/** Why records left the buffer. */
export const FLUSH_REASON = { size: 'size', age: 'age', manual: 'manual', drain: 'drain' } as const;
export type FlushReason = (typeof FLUSH_REASON)[keyof typeof FLUSH_REASON];

/** What a record store needs to know of the batch that a record belongs to. */
export interface BatchRef {
  /** See {@link batchIdIn}. */
  batchId: string;
  /** When the batcher cut the batch, in milliseconds since the epoch; names the file, so it never changes. */
  openedAtMs: number;
}

/** 1 to `maxBatchSize` records with no conflict among them (G1, G2). */
export interface Batch extends BatchRef {
  flushReason: FlushReason;
  records: KeptRecord[];
}

/** `<batcherId>-<seq, 8 digits>`: the workflow id of a child; more than 8 digits when it comes to that. */
export function childIdOf(batcherId: string, seq: number): string {
  return `${batcherId}-${String(seq).padStart(8, '0')}`;
}

/** The batcher that a child belongs to; undefined for what isn't the id of a child. */
export function batcherOfChild(childId: string): string | undefined {
  return /^(?<batcher>.+)-\d{8,}$/.exec(childId)?.groups?.['batcher'];
}

/** The sequence number of a child. */
export function childSeqOf(childId: string): number {
  return Number(childId.slice(childId.lastIndexOf('-') + 1));
}

const BATCH_ID = /^(?<childId>.+-\d{8,})\.(?<place>\d{3,})$/;

/**
 * The id of a batch: that of its child where the child has no other batch, else with `.<place>` behind.
 * @param place from 1, 3 digits
 * @param batches how many batches the child has
 */
export function batchIdIn(childId: string, place: number, batches: number): string {
  return batches === 1 ? childId : `${childId}.${String(place).padStart(3, '0')}`;
}

/** The child that processes a batch. */
export function childOfBatch(batchId: string): string {
  return BATCH_ID.exec(batchId)?.groups?.['childId'] ?? batchId;
}

/** The place of a batch in its child, from 1. */
export function placeInChild(batchId: string): number {
  return Number(BATCH_ID.exec(batchId)?.groups?.['place'] ?? 1);
}
