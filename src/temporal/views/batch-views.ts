import type { BatchPage, BatchSavingView, BatchView } from '../../contracts/api/answers/batches';
import type { BatchFilter } from '../../contracts/api/filters';
import type { BatchState } from '../../contracts/api/states';
import { SAVE_ACTIVITY } from '../../contracts/workflow/settings';
import type { ListBatches } from '../children/batch-pages';
import type { BatchInput, BatchReader } from '../children/batch-reader';
import { cutViewOf } from './cut-view';
import { saveOf, workViews } from './work-view';

/** A child completes only after all its batches, so completed batches can be in any child. */
const CONDITIONS_OF_STATE: Record<BatchState, string[]> = {
  running: [`ExecutionStatus = 'Running'`],
  completed: [],
  failed: [`ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut', 'ContinuedAsNew')`],
};

/** One page of batches from Temporal's visibility, most recently closed child first. */
export async function listBatchPage(
  list: ListBatches,
  { state, requestId, limit, cursor }: BatchFilter,
): Promise<BatchPage> {
  return list(state === undefined ? [] : CONDITIONS_OF_STATE[state], {
    limit,
    ...(requestId !== undefined && { ofRequests: [requestId] }),
    ...(cursor !== undefined && { cursor }),
    // A child is listed if any of its batches matches, and a batch of many requests if any of them does.
    keep: (batch) =>
      (state === undefined || batch.state === state) &&
      (requestId === undefined || batch.requestIds.includes(requestId)),
  });
}

/**
 * One batch with its records. Outcomes are null until it completes; attempts and errors are the latest ones.
 * @param isOwn whether a batcher belongs to this installation: others in the namespace must not be shown
 */
export async function readBatch(
  reader: BatchReader,
  isOwn: (batcher: string) => boolean,
  batchId: string,
): Promise<BatchView | undefined> {
  const facts = await reader.facts(batchId);
  if (facts === undefined || !isOwn(facts.summary.batcher)) return undefined;
  const { summary } = facts;
  const input = await reader.input(summary);
  const result = summary.state === 'completed' ? await reader.result(summary) : undefined;
  return {
    ...summary,
    file: result?.location ?? null,
    cut: cutViewOf(input),
    saving: savingViewOf(input),
    work: summary.state === 'running' ? workViews(facts.pending) : [],
    records: input.batch.records.map(({ recordId, value }, position) => {
      const ended = result?.outcomes[position];
      const pending = saveOf(facts.pending, recordId);
      return {
        recordId,
        value,
        outcome: ended?.outcome ?? null,
        attempts: ended?.attempts ?? pending?.attempt ?? null,
        error: ended?.error ?? pending?.error ?? null,
      };
    }),
  };
}

function savingViewOf({ bulk }: BatchInput): BatchSavingView {
  if (bulk === undefined) return { text: 'one activity per record', shape: SAVE_ACTIVITY.record, due: null };
  const { due = null } = bulk;
  const why = due === null ? 'because of SAVE_ACTIVITY=batch' : `because ${due} batches were due`;
  return { text: `saved together, ${why}`, shape: SAVE_ACTIVITY.batch, due };
}
