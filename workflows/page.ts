import { CancellationScope, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { takenInSignal } from '../src/contracts/workflow/buffer-page';
import type { PackedBuffer } from '../src/domain/buffer/buffer';

/**
 * Keeps a stretch of a batcher's buffer, as its input, until the batcher has taken it in again. It has to stay open: a
 * closed workflow is forgotten after the namespace's retention, and a paused batcher may wait for longer. So a
 * cancellation is not obeyed.
 */
export async function bufferPageWorkflow({ runs }: PackedBuffer): Promise<void> {
  const records = runs.reduce((sum, [, , , , values]) => sum + values.length, 0);
  setCurrentDetails(`${records} records wait here for the batcher`);
  let takenIn = false;
  setHandler(takenInSignal, () => {
    takenIn = true;
  });
  await CancellationScope.nonCancellable(() => condition(() => takenIn));
}
