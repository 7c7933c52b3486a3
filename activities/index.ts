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
  /** Called once when the store as a whole can't work any more, for the worker's log. */
  onStoreAway?: (away: StoreAway) => void;
  /** Called when it can again; `isKnown` is false when nothing waits for it any more, so that nobody found out. */
  onStoreBack?: (away: StoreAway, awayForMs: number, isKnown: boolean) => void;
  /** How often a store that is away is asked again. */
  storePauses?: StorePauses;
}

/** What activities need of the server that runs the workflows; its errors are repeated by Temporal. */
export interface WorkflowAccess {
  /** Waits until a child has closed, in whatever way; rejects when the signal is aborted. */
  waitForChild(childId: string, signal: AbortSignal): Promise<ChildClosing>;
  /** See {@link Activities.restartChild}. */
  restartChild(childId: string): Promise<boolean>;
  /** The ids of the children of a batcher that have not completed, also those that closed in any other way. */
  unfinishedChildren(batcher: string): Promise<string[]>;
  /** The keys that the run before this one of a batcher remembered, if it was ended from outside. */
  keysBefore(batcher: string, runId: string): Promise<RequestDigest[]>;
  /** See {@link Activities.readChild}. */
  readChild(childId: string): Promise<HeldByChild>;
  /** See {@link Activities.readPage}. */
  readPage(pageId: string): Promise<PackedBuffer | null>;
  /** Tells a batcher whether this worker's store is away. */
  notifyOfStore(batcherId: string, notice: StoreNotice): Promise<void>;
}

/** The activities over their dependencies; what a worker registers. Contracts: {@link Activities}. */
export function createActivities({ store, workflows, ...deps }: ActivityDeps): Activities {
  const watch = new StoreWatch({
    notify: (batcherId, notice) => workflows.notifyOfStore(batcherId, notice),
    onAway: deps.onStoreAway,
    onBack: deps.onStoreBack,
    pauses: deps.storePauses,
  });
  /** None where that run's history makes no sense: nothing may start before this answers. */
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
        const told = attempts(attempt);
        const tookMs = await pass(async () => {
          const startedAtMs = performance.now();
          await store.save(record, batch, told());
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

/** What a store is told of the attempt with this number, at each of its calls. */
function attempts(number: number): () => SaveAttempt {
  const { cancellationSignal: signal, info } = Context.current();
  let isFirst = number === 1 && info.attempt === 1;
  return () => {
    const attempt = { number, isFirst, signal };
    isFirst = false;
    return attempt;
  };
}

/** Of the workflow that has asked. */
function ownRunId(): string {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new TypeError('no workflow has asked');
  return workflowExecution.runId;
}
