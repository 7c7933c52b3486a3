import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../../src/contracts/workflow/activities';
import { takenInSignal, type BufferPageWorkflow } from '../../../src/contracts/workflow/buffer-page';
import { WORKFLOW_TYPE, adoptionTaskQueue, bufferPageId } from '../../../src/contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/workflow/search-attributes';
import type { PackedBuffer } from '../../../src/domain/buffer/buffer';
import { MIB } from '../../../src/domain/duration';
import { counted } from '../../../src/domain/format';
import { portions } from '../../../src/domain/portions';
import { needsSpill, spill, takeInPage, type NewPage } from '../../../src/domain/buffer/paged-buffer';
import { underNextFreeId } from './next-free-id';
import type { BatcherState } from './state';

/** A page whose records this history has; null for one that the server no longer knows. */
export interface ReadPage {
  pageId: string;
  content: PackedBuffer | null;
}

/** Everything started in one workflow task is one message to the server, which accepts 4 MiB. */
const MESSAGE_BYTES = 1 * MIB;

/**
 * Moves what is too large to be carried into pages. Signals may come meanwhile: what they bring is carried as far as it
 * may, since a run that waited for the last one would never end under load.
 */
export async function spillToPages(state: BatcherState): Promise<void> {
  do {
    const pages = portions(spill(state.buffer), { bytes: MESSAGE_BYTES }, ({ ref }) => ref.bytes);
    for (const together of pages) await Promise.all(together.map((page) => startPage(state, page)));
  } while (needsSpill(state.buffer, state.limits.lateBytes));
}

/** An id is taken if this batcher was terminated and started again. */
async function startPage(state: BatcherState, { ref, content }: NewPage): Promise<void> {
  const { workflowId } = workflowInfo();
  const ids = {
    take: () => state.nextPageSeq++,
    skip(count: number) {
      state.nextPageSeq += count;
    },
  };
  await underNextFreeId(ids, async (seq) => {
    ref.pageId = bufferPageId(workflowId, seq);
    try {
      return await startChild<BufferPageWorkflow>(WORKFLOW_TYPE.bufferPage, {
        workflowId: ref.pageId,
        args: [content],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        staticSummary: `${counted(ref.records, 'record')} of the buffer of ${workflowId}`,
        typedSearchAttributes: new TypedSearchAttributes([
          { key: SEARCH_ATTRIBUTES.batcher, value: workflowId },
        ]),
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      throw error;
    }
  });
}

/** The records in the oldest page; undefined if there is none. */
export async function readOldestPage({ buffer }: BatcherState): Promise<ReadPage | undefined> {
  const pageId = buffer.pages[0]?.pageId;
  if (pageId === undefined) return undefined;
  const { readPage } = proxyActivities<Activities>({
    taskQueue: adoptionTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: ACTIVITY_TIMEOUTS.readMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: pageId,
  });
  return { pageId, content: await readPage({ pageId }) };
}

/**
 * Appends the oldest page to the head of the buffer, and lets the page go, as its records are in this history now. The
 * records of a page that somebody deleted are counted as lost, as nothing can bring them back.
 */
export async function takeInOldestPage(state: BatcherState, { pageId, content }: ReadPage): Promise<void> {
  const records = state.buffer.pages[0]?.records ?? 0;
  takeInPage(state.buffer, content);
  if (content === null) {
    state.counters.lost += records;
    log.error('a page of the buffer was deleted, and its records are lost', { pageId, records });
    return;
  }
  try {
    await getExternalWorkflowHandle(pageId).signal(takenInSignal);
  } catch (error) {
    log.warn('a page of the buffer was gone before it was let go', { pageId, error });
  }
}
