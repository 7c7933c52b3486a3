import type { KeptRecord } from './record';

/** Why records left the buffer. */
export const FLUSH_REASON = { size: 'size', age: 'age', manual: 'manual', drain: 'drain' } as const;
export type FlushReason = (typeof FLUSH_REASON)[keyof typeof FLUSH_REASON];

/** What a record store needs to know of the batch that a record belongs to. */
export interface BatchRef {
  /** `<batcherId>-<seq, 8 digits>`. */
  batchId: string;
  /** When the batcher cut the batch, in milliseconds since the epoch; names the file, so it never changes. */
  openedAtMs: number;
}

/** 1 to `maxBatchSize` records with no conflict among them (G1, G2). */
export interface Batch extends BatchRef {
  flushReason: FlushReason;
  records: KeptRecord[];
}

/** The sequence number in a batchId. */
export function batchSeqOf(batchId: string): number {
  return Number(batchId.slice(batchId.lastIndexOf('-') + 1));
}

/** `<batcherId>-<seq, 8 digits>`; more than 8 digits when it comes to that. */
export function batchIdOf(batcherId: string, seq: number): string {
  return `${batcherId}-${String(seq).padStart(8, '0')}`;
}
