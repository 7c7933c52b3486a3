import type { WorkflowInfo } from '@temporalio/workflow';
import type { BatcherState } from './state';

/**
 * Whether this run has grown long enough to continue as new. The server's suggestion counts events and bytes, but neither
 * the signals of a run, which it stops taking at 10,000, nor its updates, at 2,000.
 */
export function handOverDue(state: BatcherState, info: WorkflowInfo): boolean {
  return (
    info.continueAsNewSuggested ||
    info.historyLength >= state.limits.historyEvents ||
    info.historySize - state.initialHistoryBytes >= state.limits.historyBytes ||
    state.messages >= state.limits.messages
  );
}

/** Whether the next page would carry this run past its length: then it is for the next run. */
export function nextPageIsForNextRun(
  { limits, buffer, initialHistoryBytes }: BatcherState,
  { historySize }: WorkflowInfo,
): boolean {
  const grown = historySize - initialHistoryBytes;
  const page = buffer.pages[0]?.bytes ?? 0;
  // A page may be larger than what a run may grow by: a run that has hardly begun takes it in all the same.
  return grown + page >= limits.historyBytes && grown >= limits.historyBytes / 2;
}
