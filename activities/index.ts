import { Context, activityInfo, heartbeat } from '@temporalio/activity';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type BatchClosing,
  type SaveRecordsResult,
} from '../src/contracts/activities';
import type { PackedBuffer } from '../src/domain/buffer';
import type { ErrorCode } from '../src/domain/errors';
import type { RecordStore } from '../src/domain/record-store';
import { closeBatches } from './close-batches';
import { asFailure, saveFailureOf } from './failure';
import { createLocalSaves } from './local-saves';
import { settleBatch } from './settle-batch';

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
  const saves = createLocalSaves(store);
  return {
    async save({ record, batch }) {
      await storeWork('save-failed', () => saves.finish(record, batch));
      return { attempt: activityInfo().attempt };
    },
    async saveRecords({ records, batch }) {
      const results = await storeWork('save-failed', () => saves.begin(records, batch));
      const told: SaveRecordsResult = { failed: [] };
      for (const [place, result] of results.entries()) {
        if (result === undefined) (told.slow ??= []).push(place);
        else if (result.status === 'rejected') told.failed.push({ place, ...saveFailureOf(result.reason) });
      }
      return told;
    },
    async rollback({ record, batch }) {
      await storeWork('store-failed', () => store.rollback(record, batch));
    },
    async closeBatch({ batch, records, format }) {
      return storeWork('store-failed', () => store.closeBatch(batch, records, format));
    },
    async closeBatches(input) {
      return storeWork('store-failed', () => closeBatches(store, input));
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
      return storeWork('store-failed', () => settleBatch(store, input, activityInfo().attempt));
    },
  };
}

/** `failure` is what it fails with when the store doesn't say. */
async function storeWork<T>(failure: ErrorCode, work: () => Promise<T>): Promise<T> {
  try {
    return await whileHeartbeating(work);
  } catch (error) {
    throw asFailure(error, failure);
  }
}

/**
 * Runs work under a heartbeat, so that the server notices a killed worker within the heartbeat time-out instead of the
 * (long) time-out of the attempt. Work shorter than the interval sends none, nor does a local activity: for it the
 * workflow task that it belongs to is kept alive.
 */
async function whileHeartbeating<T>(work: () => Promise<T>): Promise<T> {
  if (activityInfo().isLocal) return work();
  const timer = setInterval(() => heartbeat(), ACTIVITY_TIMEOUTS.heartbeatMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
