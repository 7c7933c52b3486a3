import { proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../src/contracts/workflow/activities';
import { SECOND } from '../../src/domain/duration';

/** A workflow task has 10 s. After this time, the attempt has failed. */
const MAX_MS = 2 * SECOND;

/**
 * Makes one attempt of an activity within the current workflow task, as a local activity. The server then writes neither
 * the activity nor the workflow task that would bring its result, which together are three transactions. A task must not
 * be kept open for long, so this is for stores that have just been quick.
 * @param summary shown in the Web UI
 * @returns undefined if the attempt failed; the caller then schedules the activity, which Temporal retries
 */
export async function tryInThisTask<Result>(
  summary: string,
  call: (activities: Pick<Activities, 'closeBatches' | 'rollback'>) => Promise<Result>,
): Promise<Result | undefined> {
  const options = { startToCloseTimeout: MAX_MS, retry: { maximumAttempts: 1 }, summary };
  return await call(proxyLocalActivities<Activities>(options)).catch(() => undefined);
}
