import { CancellationScope, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { takenInSignal } from '../src/contracts/workflow/buffer-page';
import type { PackedBuffer } from '../src/domain/buffer/buffer';
import { counted } from '../src/domain/format';

/**
 * Stores a page of a batcher's buffer in its input until the batcher has taken the records back. Ignores cancellations,
 * because it must stay open: a paused batcher may need the page after the retention period of closed workflows.
 */
export async function bufferPageWorkflow({ runs }: PackedBuffer): Promise<void> {
  const records = runs.reduce((sum, [, , , , values]) => sum + values.length, 0);
  setCurrentDetails(`${counted(records, 'record')} of the batcher's buffer`);
  let takenIn = false;
  setHandler(takenInSignal, () => {
    takenIn = true;
  });
  await CancellationScope.nonCancellable(() => condition(() => takenIn));
}
