import type { ChildInput } from '../../src/contracts/workflow/child';
import { batchIdIn, type BatchRef, type FlushReason } from '../../src/domain/records/batch';
import type { RecordOutcome } from '../../src/domain/records/outcome';
import { unpackBatch, type PackedBatch } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import type { TraceContext } from '../../src/domain/records/trace-context';

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
  /** The contexts of its sampled requests. */
  traces: ReadonlyMap<string, TraceContext>;
}

/** What tells an activity to report what it does to a batch's trace: nothing for most batches. */
export function tracedFlag({ traces }: OpenBatch): { traced?: true } {
  return traces.size > 0 ? { traced: true } : {};
}

/** A batch whose records all have their outcomes. */
export interface SettledBatch {
  batch: OpenBatch;
  /** In batch order. */
  outcomes: RecordOutcome[];
}

/** The batches of a child, from its id and input. */
export function openBatches(childId: string, { openedAtMs, batches, traces = [] }: ChildInput): OpenBatch[] {
  const known = new Map(traces);
  return batches.map(({ records, flushReason, waitedMs = [] }, i) => ({
    place: i + 1,
    ref: { batchId: batchIdIn(childId, i + 1, batches.length), openedAtMs },
    flushReason,
    packed: records,
    records: unpackBatch(records),
    waitedMs,
    traces: known.size === 0 ? known : tracesIn(records, known),
  }));
}

function tracesIn(
  packed: PackedBatch,
  known: ReadonlyMap<string, TraceContext>,
): ReadonlyMap<string, TraceContext> {
  const found = new Map<string, TraceContext>();
  for (const [requestId] of packed) {
    const trace = known.get(requestId);
    if (trace !== undefined) found.set(requestId, trace);
  }
  return found;
}
