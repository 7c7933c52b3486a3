import type { ChildInput } from '../../src/contracts/workflow/child';
import { batchIdIn, type BatchRef, type FlushReason } from '../../src/domain/records/batch';
import type { RecordOutcome } from '../../src/domain/records/outcome';
import { unpackBatch, type PackedBatch } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';

/** A batch while its child processes it. */
export interface OpenBatch {
  /** Position in the child, from 1. */
  place: number;
  ref: BatchRef;
  flushReason: FlushReason;
  packed: PackedBatch;
  records: KeptRecord[];
  /** See `BatchInChild`; empty if unknown. */
  waitedMs: readonly number[];
}

/** A batch whose records all have their outcomes. */
export interface SettledBatch {
  batch: OpenBatch;
  /** In batch order. */
  outcomes: RecordOutcome[];
}

/** The batches of a child, from its id and input. */
export function openBatches(childId: string, { openedAtMs, batches }: ChildInput): OpenBatch[] {
  return batches.map(({ records, flushReason, waitedMs = [] }, i) => ({
    place: i + 1,
    ref: { batchId: batchIdIn(childId, i + 1, batches.length), openedAtMs },
    flushReason,
    packed: records,
    records: unpackBatch(records),
    waitedMs,
  }));
}
