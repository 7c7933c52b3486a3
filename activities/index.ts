import { Context } from '@temporalio/activity';
import type { Activities, ChildClosing, HeldByChild } from '../src/contracts/workflow/activities';
import type { StoreAway, StoreNotice } from '../src/contracts/workflow/store-notice';
import type { PackedBuffer } from '../src/domain/buffer/buffer';
import { isKeepapartError } from '../src/domain/errors';
import type { RequestDigest } from '../src/domain/windows/key-window';
import type { RecordStore, SaveAttempt } from '../src/domain/records/record-store';
import { closeBatches, rollBack, saveBatches } from './bulk';
import { settleBatch } from './settle-batch';
import { storeWork, whileHeartbeating } from './store-call';
import type { StorePauses } from './store-gate';
import { StoreWatch } from './store-watch';

export interface ActivityDeps {
  store: RecordStore;
  workflows: WorkflowAccess;
  /** Called once when the store as a whole becomes unavailable, for the worker's log. */
  onStoreAway?: (away: StoreAway) => void;
  /** Called when it works again. `isKnown` is false if nothing waits for it any more, so nobody has found out. */
  onStoreBack?: (away: StoreAway, awayForMs: number, isKnown: boolean) => void;
  /** How often an unavailable store is tried again. */
  storePauses?: StorePauses;
}

/** What activities need from the server that runs the workflows. Temporal retries its errors. */
export interface WorkflowAccess {
  /** Waits until a child has closed, in any way; rejects if the signal is aborted. */
  waitForChild(childId: string, signal: AbortSignal): Promise<ChildClosing>;
  /** See {@link Activities.restartChild}. */
  restartChild(childId: string): Promise<boolean>;
  /** Ids of the children of a batcher that have not completed, including those that closed in any other way. */
  unfinishedChildren(batcher: string): Promise<string[]>;
  /** The keys that the previous run of a batcher remembered, if it was ended from outside. */
  keysBefore(batcher: string, runId: string): Promise<RequestDigest[]>;
  /** See {@link Activities.readChild}. */
  readChild(childId: string): Promise<HeldByChild>;
  /** See {@link Activities.readPage}. */
  readPage(pageId: string): Promise<PackedBuffer | null>;
  /** Notifies a batcher whether this worker's store is unavailable. */
  notifyOfStore(batcherId: string, notice: StoreNotice): Promise<void>;
}

/** The activities over their dependencies, for a worker to register. Their contracts: {@link Activities}. */
export function createActivities({ store, workflows, ...deps }: ActivityDeps): Activities {
  const watch = new StoreWatch({
    notify: (batcherId, notice) => workflows.notifyOfStore(batcherId, notice),
    onAway: deps.onStoreAway,
    onBack: deps.onStoreBack,
    pauses: deps.storePauses,
  });
  /** None if that run's history can't be interpreted, because nothing may start before this answers. */
  const keysBefore = (batcher: string): Promise<RequestDigest[]> =>
    workflows.keysBefore(batcher, ownRunId()).catch((error: unknown) => {
      if (isKeepapartError(error)) throw error;
      Context.current().log.warn('the keys of an earlier batcher could not be read', { batcher, error });
      return [];
    });
  const { saving, undoing, closing } = watch;
  const isBounded = store.boundsItsCalls === true;
  const inRecord = {
    ...{ watch, gate: saving, isBounded },
    ...({ fallback: 'save-failed', isScheduledAgain: true } as const),
  };
  const inBulk = { ...inRecord, isScheduledAgain: false };
  const undo = {
    ...{ watch, gate: undoing, isBounded },
    ...({ fallback: 'store-failed', isScheduledAgain: true } as const),
  };
  const close = {
    ...{ watch, gate: closing, isBounded },
    ...({ fallback: 'store-failed', isScheduledAgain: false } as const),
  };
  return {
    save: ({ record, batch }) =>
      storeWork(inRecord, async (pass, attempt) => {
        const nextAttempt = attempts(attempt);
        const tookMs = await pass(async () => {
          const startedAtMs = performance.now();
          await store.save(record, batch, nextAttempt());
          return Math.round(performance.now() - startedAtMs);
        });
        return { attempt, tookMs };
      }),
    saveBatches: (input) =>
      storeWork(inBulk, (pass) => saveBatches(store, input, pass, attempts(input.attempt ?? 1))),
    rollback: (input) => storeWork(undo, (pass, attempt) => rollBack(store, input, pass, attempt)),
    closeBatches: (input) => storeWork(close, (pass) => closeBatches(store, input, pass)),
    settleBatch: (input) =>
      storeWork(close, (pass, attempt) => pass(() => settleBatch(store, input, attempt))),
    adoptChild: ({ childId }) =>
      whileHeartbeating(() => workflows.waitForChild(childId, Context.current().cancellationSignal)),
    restartChild: ({ childId }) => whileHeartbeating(() => workflows.restartChild(childId)),
    findLeft: ({ batcher }) =>
      whileHeartbeating(async () => ({
        childIds: await workflows.unfinishedChildren(batcher),
        keys: await keysBefore(batcher),
      })),
    readChild: ({ childId }) => workflows.readChild(childId),
    readPage: ({ pageId }) => workflows.readPage(pageId),
  };
}

/** Creates what a store may know about each call of this attempt. */
function attempts(number: number): () => SaveAttempt {
  const { cancellationSignal: signal, info } = Context.current();
  let isFirst = number === 1 && info.attempt === 1;
  return () => {
    const attempt = { number, isFirst, signal };
    isFirst = false;
    return attempt;
  };
}

/** The run id of the workflow that scheduled this activity. */
function ownRunId(): string {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new TypeError('this activity has no workflow');
  return workflowExecution.runId;
}
