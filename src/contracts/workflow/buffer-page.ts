import { defineSignal } from '@temporalio/workflow';
import type { PackedBuffer } from '../../domain/buffer/buffer';

/**
 * `bufferPageWorkflow` keeps a stretch of a batcher's buffer that is too large to be carried: as its input, for as long
 * as it runs. It completes when the batcher has taken the records in again.
 */
export type BufferPageWorkflow = (content: PackedBuffer) => Promise<void>;

/** The records are in the batcher's own history now. */
export const takenInSignal = defineSignal('takenIn');
