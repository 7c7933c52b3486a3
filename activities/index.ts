import { Context } from '@temporalio/activity';
import type {
  Activities,
  ChildClosing,
  HeldByChild,
  LeftBefore,
  ResetRef,
  SaveResult,
  StartedBefore,
} from '../src/contracts/workflow/activities';
import type { StoreAway, StoreNotice } from '../src/contracts/workflow/store-notice';
import type { PackedBuffer } from '../src/domain/buffer/buffer';
import { isKeepapartError } from '../src/domain/errors';
import type { RecordStore, SaveAttempt } from '../src/domain/records/record-store';
import type { StoreCallTracing } from '../src/contracts/tracing';
import { auditFiles, type RunAudit } from './audit';
import { closeBatches, rollBack, saveBatches } from './bulk';
import { settleBatch } from './settle-batch';
import { storeWork, whileHeartbeating } from './store-call';
import type { Pass, StorePauses } from './store-gate';
import { StoreWatch } from './store-watch';
import { traceAttempts } from './trace-attempts';

export interface ActivityDeps {
  store: RecordStore;
  workflows: WorkflowAccess;
  /** Called once when the store as a whole becomes unavailable, for the worker's log. */
  onStoreAway?: (away: StoreAway) => void;
  /** Called when it works again. `isKnown` is false if nothing waits for it any more, so nobody has found out. */
  onStoreBack?: (away: StoreAway, awayForMs: number, isKnown: boolean) => void;
  /** Audits the batch files. Absent where a worker has none. */
  runAudit?: RunAudit;
  /** How often an unavailable store is tried again. */
  storePauses?: StorePauses;
  /** Receives attempts that are part of a trace. */
  tracing?: StoreCallTracing | undefined;
}

/** What activities need from the server that runs the workflows. Temporal retries its errors. */
export interface WorkflowAccess {
  /** Waits until a child has closed, in any way; rejects if the signal is aborted. */
  waitForChild(childId: string, signal: AbortSignal): Promise<ChildClosing>;
  /** See {@link Activities.restartChild}. */
  restartChild(childId: string): Promise<boolean>;
  /** Ids of the children of a batcher that have not completed, including those that closed in any other way. */
  unfinishedChildren(batcher: string): Promise<string[]>;
  /** What the batcher before this run knew, if it was ended from outside. */
  leftBefore(batcher: string, runId: string): Promise<LeftBefore | undefined>;
  /** See {@link Activities.findStarted}. */
  startedBefore(reset: ResetRef): Promise<StartedBefore>;
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
  /** Undefined if a history can't be understood: the batcher starts nothing before it has an answer. */
  const ifUnderstood = <T>(batcher: string, reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error: unknown) => {
      if (isKeepapartError(error)) throw error;
      Context.current().log.warn('the history of an earlier run could not be read', { batcher, error });
      return undefined;
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
  const trace = deps.tracing && traceAttempts(deps.tracing);
  return {
    save: (input) => {
      const { record, batch } = input;
      const work = async (pass: Pass, attempt: number): Promise<SaveResult> => {
        const nextAttempt = attempts(attempt);
        const tookMs = await pass(async () => {
          const startedAtMs = performance.now();
          await store.save(record, batch, nextAttempt());
          return Math.round(performance.now() - startedAtMs);
        });
        return { attempt, tookMs };
      };
      return storeWork(inRecord, work, trace?.save(input));
    },
    saveBatches: (input) =>
      storeWork(
        inBulk,
        (pass) => saveBatches(store, input, pass, attempts(input.attempt ?? 1)),
        trace?.saveBatches(input),
      ),
    rollback: (input) =>
      storeWork(
        undo,
        (pass, attempt) => rollBack(store, input, pass, input.before + attempt),
        trace?.rollback(input),
      ),
    closeBatches: (input) =>
      storeWork(close, (pass) => closeBatches(store, input, pass), trace?.closeBatches(input)),
    settleBatch: (input) =>
      storeWork(
        close,
        (pass, attempt) => pass(() => settleBatch(store, input, attempt)),
        trace?.settleBatch(input),
      ),
    adoptChild: ({ childId }) =>
      whileHeartbeating(() => workflows.waitForChild(childId, Context.current().cancellationSignal)),
    restartChild: ({ childId }) => whileHeartbeating(() => workflows.restartChild(childId)),
    findLeft: ({ batcher }) =>
      whileHeartbeating(async () => {
        const childIds = await workflows.unfinishedChildren(batcher);
        const before = await ifUnderstood(batcher, workflows.leftBefore(batcher, ownRunId()));
        return { childIds, ...(before !== undefined && { before }) };
      }),
    findStarted: (reset) =>
      whileHeartbeating(
        async () => (await ifUnderstood(reset.batcher, workflows.startedBefore(reset))) ?? { children: [] },
      ),
    readChild: ({ childId }) => workflows.readChild(childId),
    auditFiles: () => auditFiles(deps.runAudit),
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
