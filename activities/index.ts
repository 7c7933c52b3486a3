import { ApplicationFailure, Context, activityInfo, heartbeat } from '@temporalio/activity';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type BatchClosing,
  type SaveFailureDetails,
  type SettleBatchInput,
} from '../src/contracts/activities';
import type { PackedBuffer } from '../src/domain/buffer';
import { ERRORS, RETRIED, isKeepapartError, type ErrorCode } from '../src/domain/errors';
import { OUTCOME } from '../src/domain/outcome';
import type { ReadBatch, RecordStore } from '../src/domain/record-store';

export interface ActivityDeps {
  store: RecordStore;
  workflows: WorkflowAccess;
}

/** What activities need of the server that runs the workflows; its errors are repeated by Temporal. */
export interface WorkflowAccess {
  /** Waits until the workflow of a batch has closed, however; rejects when the signal is aborted. */
  waitForBatch(batchId: string, signal: AbortSignal): Promise<BatchClosing>;
  /** See {@link Activities.restartBatch}. */
  restartBatch(batchId: string): Promise<boolean>;
  /** What a page was started with. */
  readPage(pageId: string): Promise<PackedBuffer>;
}

/** The activities over their dependencies; what a worker registers. Contracts: {@link Activities}. */
export function createActivities({ store, workflows }: ActivityDeps): Activities {
  return {
    async save({ record, batch }) {
      const { attempt } = activityInfo();
      try {
        await whileHeartbeating(() => store.save(record, batch));
      } catch (error) {
        throw asFailure(error, 'save-failed', { attempt });
      }
      return { attempt };
    },
    async rollback({ record, batch }) {
      await storeWork(() => store.rollback(record, batch));
    },
    async closeBatch({ batch, records, format }) {
      return storeWork(() => store.closeBatch(batch, records, format));
    },
    async adoptBatch({ batchId }) {
      return whileHeartbeating(() => workflows.waitForBatch(batchId, Context.current().cancellationSignal));
    },
    async restartBatch({ batchId }) {
      return whileHeartbeating(() => workflows.restartBatch(batchId));
    },
    async readPage({ pageId }) {
      return workflows.readPage(pageId);
    },
    async settleBatch(input) {
      return storeWork(() => settle(store, input));
    },
  };
}

/**
 * The earlier run of the batch, or an attempt of it that was taken for dead, may have published its file before, or
 * still does: then that file tells the outcomes.
 */
async function settle(
  store: RecordStore,
  { batch, format, reason, atMs }: SettleBatchInput,
): Promise<ReadBatch> {
  const closed = await store.readBatch(batch);
  if (closed !== undefined) return closed;
  await Promise.all(batch.records.map((record) => store.rollback(record, batch)));
  const records = batch.records.map((record) => ({
    ...record,
    outcome: OUTCOME.rolledBack,
    attempts: 0,
    error: reason,
    atMs,
  }));
  try {
    return { ...(await store.closeBatch(batch, records, format)), records };
  } catch (error) {
    const closedMeanwhile = await store.readBatch(batch);
    if (closedMeanwhile === undefined) throw error;
    return closedMeanwhile;
  }
}

async function storeWork<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await whileHeartbeating(work);
  } catch (error) {
    throw asFailure(error, 'store-failed');
  }
}

/**
 * Runs work under a heartbeat, so that the server notices a killed worker within the heartbeat time-out instead of the
 * (long) time-out of the attempt. Work shorter than the interval sends none.
 */
async function whileHeartbeating<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => heartbeat(), ACTIVITY_TIMEOUTS.heartbeatMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The catalogue's code becomes the failure's type, which is what the Web UI shows and workflow code branches on;
 * `fallback` is for what isn't of the catalogue.
 */
function asFailure(error: unknown, fallback: ErrorCode, details?: SaveFailureDetails): ApplicationFailure {
  const code = isKeepapartError(error) ? error.code : fallback;
  return ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    type: code,
    nonRetryable: ERRORS[code].retried === RETRIED.never,
    ...(details !== undefined && { details: [details] }),
    ...(error instanceof Error && { cause: error }),
  });
}
