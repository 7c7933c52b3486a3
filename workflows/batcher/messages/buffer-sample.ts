import {
  SAMPLE_BOUNDS,
  type BufferSample,
  type SampledRecord,
} from '../../../src/contracts/workflow/buffer-sample';
import { inOrder, type BufferedRecord } from '../../../src/domain/buffer/buffer';
import { sizeOf } from '../../../src/domain/buffer/paged-buffer';
import { childIdOf } from '../../../src/domain/records/batch';
import { recordIdOf } from '../../../src/domain/records/record';
import type { BatcherState } from '../run/state';

/** The first buffered records with their values, and in scope `running` what holds them. Only reads the state. */
export function bufferSampleOf(state: BatcherState, batcherId: string): BufferSample {
  const records: SampledRecord[] = [];
  let bytes = 0;
  for (const record of inOrder(state.buffer.head)) {
    bytes += record.bytes;
    if (records.length >= SAMPLE_BOUNDS.records || bytes > SAMPLE_BOUNDS.bytes) break;
    records.push({
      recordId: recordIdOf(record.requestId, record.index),
      value: record.value,
      acceptedAtMs: record.acceptedAtMs,
      ...heldBy(state, batcherId, record),
    });
  }
  return { records, more: sizeOf(state.buffer).records - records.length };
}

function heldBy(
  { apart }: BatcherState,
  batcherId: string,
  record: BufferedRecord,
): Pick<SampledRecord, 'heldBy'> {
  if (apart === null) return {};
  const { seqs, untilMs } = apart.held.allHoldersOf(apart.holds.of(record));
  if (seqs.length === 0 && untilMs === null) return {};
  const childIds = seqs.slice(0, SAMPLE_BOUNDS.holders).map((seq) => childIdOf(batcherId, seq));
  return { heldBy: { childIds, untilMs } };
}
