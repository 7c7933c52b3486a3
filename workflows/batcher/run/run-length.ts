import type { WorkflowInfo } from '@temporalio/workflow';
import { MIB } from '../../../src/domain/duration';
import type { BatcherState } from './state';

/**
 * Whether this run is long enough to continue as new. The server's suggestion counts events and bytes, but not the
 * signals of a run, which it refuses after 10,000, nor its updates, after 2,000.
 */
export function handOverDue(state: BatcherState, info: WorkflowInfo): boolean {
  return isLong(state, info) && !(state.takeOver && mayWaitForMemory(state, info));
}

function isLong(state: BatcherState, info: WorkflowInfo): boolean {
  return (
    info.continueAsNewSuggested ||
    info.historyLength >= state.limits.historyEvents ||
    info.historySize - state.initialHistoryBytes >= state.limits.historyBytes ||
    state.messages >= state.limits.messages
  );
}

/** By which factor a run may exceed its length while it waits for what an earlier batcher remembered. */
const WAITING_RUNS = 5;
/** Beyond what comes while there is no worker (`GIVING_WAY`), and far below the 50 MiB at which the server ends a run. */
const WAITING_BYTES = 20 * MIB;

/**
 * What has come under a key may be a repeat of what that batcher took, which leaves the buffer then: it is not carried that
 * it may be. What has come without one is a repeat only where its reply was lost within the last seconds.
 */
function mayWaitForMemory({ limits, messages, takenMeanwhile }: BatcherState, info: WorkflowInfo): boolean {
  return (
    takenMeanwhile.some(({ request }) => request.digest !== undefined || request.part !== undefined) &&
    info.historyLength < WAITING_RUNS * limits.historyEvents &&
    messages < WAITING_RUNS * limits.messages &&
    info.historySize < WAITING_BYTES
  );
}

/** Whether the next page would make this run too long; then the next run takes it. */
export function nextPageIsForNextRun(
  { limits, buffer, initialHistoryBytes }: BatcherState,
  { historySize }: WorkflowInfo,
): boolean {
  const grown = historySize - initialHistoryBytes;
  const page = buffer.pages[0]?.bytes ?? 0;
  // A page may be larger than the growth of a run; a run that has just begun takes it anyway.
  return grown + page >= limits.historyBytes && grown >= limits.historyBytes / 2;
}
