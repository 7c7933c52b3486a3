import type { KeptRecord } from './record';

/** Why records left the buffer. */
export const FLUSH_REASON = { size: 'size', age: 'age', manual: 'manual', drain: 'drain' } as const;
export type FlushReason = (typeof FLUSH_REASON)[keyof typeof FLUSH_REASON];

/** Identifies a batch to a record store. */
export interface BatchRef {
  /** See {@link batchIdIn}. */
  batchId: string;
  /** When the batcher cut the batch, in milliseconds since the epoch. Part of the file's name, so it never changes. */
  openedAtMs: number;
}

/** 1 to `maxBatchSize` records without conflicts (G1, G2). */
export interface Batch extends BatchRef {
  flushReason: FlushReason;
  records: KeptRecord[];
}

/** Workflow id of a child: `<batcherId>-<seq>`, seq padded to 8 digits. */
export function childIdOf(batcherId: string, seq: number): string {
  return `${batcherId}-${String(seq).padStart(8, '0')}`;
}

/** Id of the batcher that a child belongs to; undefined if `childId` is not the id of a child. */
export function batcherOfChild(childId: string): string | undefined {
  return /^(?<batcher>.+)-\d{8,}$/.exec(childId)?.groups?.['batcher'];
}

/** Sequence number of a child, from its id. */
export function childSeqOf(childId: string): number {
  return Number(childId.slice(childId.lastIndexOf('-') + 1));
}

const BATCH_ID = /^(?<childId>.+-\d{8,})\.(?<place>\d{3,})$/;

/**
 * Id of a batch: the id of its child if that is the child's only batch, otherwise followed by `.<place>`, 3 digits.
 * @param place position of the batch in its child, from 1
 * @param batches number of batches in the child
 */
export function batchIdIn(childId: string, place: number, batches: number): string {
  return batches === 1 ? childId : `${childId}.${String(place).padStart(3, '0')}`;
}

/** Id of the child that processes a batch. */
export function childOfBatch(batchId: string): string {
  return BATCH_ID.exec(batchId)?.groups?.['childId'] ?? batchId;
}

/** Position of a batch in its child, from 1. */
export function placeInChild(batchId: string): number {
  return Number(BATCH_ID.exec(batchId)?.groups?.['place'] ?? 1);
}
