import { Context, activityInfo, heartbeat } from '@temporalio/activity';
import {
  ACTIVITY_TIMEOUTS,
  type Activities,
  type ChildClosing,
  type HeldByChild,
} from '../src/contracts/activities';
import type { PackedBuffer } from '../src/domain/buffer';
import type { ErrorCode } from '../src/domain/errors';
import type { RecordStore } from '../src/domain/record-store';
import { closeBatches, rollBack, saveBatches } from './bulk';
import { asFailure } from './failure';
import { settleBatch } from './settle-batch';

export interface ActivityDeps {
  store: RecordStore;
  workflows: WorkflowAccess;
}

/** What activities need of the server that runs the workflows; its errors are repeated by Temporal. */
export interface WorkflowAccess {
  /** Waits until a child has closed, in whatever way; rejects when the signal is aborted. */
  waitForChild(childId: string, signal: AbortSignal): Promise<ChildClosing>;
  /** See {@link Activities.restartChild}. */
  restartChild(childId: string): Promise<boolean>;
  /** See {@link Activities.unfinishedChildren}. */
  unfinishedChildren(batcher: string): Promise<string[]>;
  /** See {@link Activities.readChild}. */
  readChild(childId: string): Promise<HeldByChild>;
  /** See {@link Activities.readPage}. */
  readPage(pageId: string): Promise<PackedBuffer | null>;
}

/** The activities over their dependencies; what a worker registers. Contracts: {@link Activities}. */
export function createActivities({ store, workflows }: ActivityDeps): Activities {
  return {
    async save({ record, batch }) {
      const startedAtMs = performance.now();
      await storeWork('save-failed', () => store.save(record, batch));
      return { attempt: activityInfo().attempt, tookMs: Math.round(performance.now() - startedAtMs) };
    },
    saveBatches: (input) => whileHeartbeating(() => saveBatches(store, input)),
    rollback: (input) => storeWork('store-failed', () => rollBack(store, input, activityInfo().attempt)),
    closeBatches: (input) => storeWork('store-failed', () => closeBatches(store, input)),
    settleBatch: (input) =>
      storeWork('store-failed', () => settleBatch(store, input, activityInfo().attempt)),
    adoptChild: ({ childId }) =>
      whileHeartbeating(() => workflows.waitForChild(childId, Context.current().cancellationSignal)),
    restartChild: ({ childId }) => whileHeartbeating(() => workflows.restartChild(childId)),
    unfinishedChildren: ({ batcher }) => whileHeartbeating(() => workflows.unfinishedChildren(batcher)),
    readChild: ({ childId }) => workflows.readChild(childId),
    readPage: ({ pageId }) => workflows.readPage(pageId),
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
