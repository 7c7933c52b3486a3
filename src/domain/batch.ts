import type { KeptRecord } from './record';

/** Why records left the buffer. */
export const FLUSH_REASON = { size: 'size', age: 'age', manual: 'manual', drain: 'drain' } as const;
export type FlushReason = (typeof FLUSH_REASON)[keyof typeof FLUSH_REASON];

/** What a record store needs to know of the batch that a record belongs to. */
export interface BatchRef {
  /** `<batcherId>-<seq, 8 digits>`; of a batch that shares its workflow with others, with `.<place>` behind. */
  batchId: string;
  /** When the batcher cut the batch, in milliseconds since the epoch; names the file, so it never changes. */
  openedAtMs: number;
}

/** 1 to `maxBatchSize` records with no conflict among them (G1, G2). */
export interface Batch extends BatchRef {
  flushReason: FlushReason;
  records: KeptRecord[];
}

/** The sequence number of a batch, or of the child workflow that it shares with others. */
export function batchSeqOf(batchId: string): number {
  const workflowId = workflowIdOf(batchId);
  return Number(workflowId.slice(workflowId.lastIndexOf('-') + 1));
}

const IN_GROUP = /^(?<workflowId>.+-\d{8,})\.(?<place>\d{3})$/;

/** `<id of the group>.<place from 1, 3 digits>`: a batch that shares its workflow with others. */
export function idInGroup(workflowId: string, place: number): string {
  return `${workflowId}.${String(place).padStart(3, '0')}`;
}

/** Id of the workflow that a batch runs in: the batch's own, or that of its group. */
export function workflowIdOf(batchId: string): string {
  return IN_GROUP.exec(batchId)?.groups?.['workflowId'] ?? batchId;
}

/** Place of a batch in its group, from 1; undefined for one that has a workflow of its own. */
export function placeInGroup(batchId: string): number | undefined {
  const place = IN_GROUP.exec(batchId)?.groups?.['place'];
  return place === undefined ? undefined : Number(place);
}

/** `<batcherId>-<seq, 8 digits>`; more than 8 digits when it comes to that. */
export function batchIdOf(batcherId: string, seq: number): string {
  return `${batcherId}-${String(seq).padStart(8, '0')}`;
}
