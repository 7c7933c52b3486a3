import { defineSignal } from '@temporalio/workflow';
import type { PackedBuffer } from '../../domain/buffer/buffer';

/**
 * `bufferPageWorkflow` stores a page of a buffer that is too large to be carried: its input is the page. It completes when
 * the batcher has taken the records back into its state.
 */
export type BufferPageWorkflow = (content: PackedBuffer) => Promise<void>;

/** The batcher has the records in its own history. */
export const takenInSignal = defineSignal('takenIn');
