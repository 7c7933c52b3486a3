import { log, setHandler, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import {
  ANSWERS,
  addRecordsSignal,
  childProgressSignal,
  configureSignal,
  drainSignal,
  flushSignal,
  layoutUpdate,
  pauseSignal,
  readUpdate,
  requestQuery,
  resumeSignal,
  statusQuery,
  takeUpdate,
  type AcceptedRequest,
} from '../../src/contracts/workflow/batcher';
import { limitsUpdate } from '../../src/contracts/workflow/limits';
import { storeNoticeSignal } from '../../src/contracts/workflow/store-notice';
import { FLUSH_REASON } from '../../src/domain/records/batch';
import { adoptLayout } from '../../src/domain/windows/layout';
import { flushEverything } from '../../src/domain/buffer/paged-buffer';
import { noteMessage as noteSender } from '../../src/domain/windows/sender-window';
import { followScope } from './conflict-scope';
import { followPace } from './pace';
import { recordProgress } from './in-flight';
import { changeLimits, configure, refuseBadLimits } from './limits';
import {
  actionFrom,
  isOrigin,
  isProgress,
  isSettings,
  questionsFrom,
  refuseBadLayout,
  refuseBadRequests,
  requestsFrom,
} from './messages';
import { beginDrain, takeRequest } from './requests';
import type { Run } from './run';
import type { BatcherState } from './state';
import { isStoreNotice } from './store-notices';
import { answersTo, statusOf, takeAnswers, traceOf } from './view';

/**
 * Sets the handlers of every message that reaches a batcher. They are synchronous and change the state; what follows from
 * that the loop decides.
 *
 * No handler throws, whatever a message contains: it would fail the workflow task, and every one after it.
 */
export function setHandlers(state: BatcherState, run: Run): void {
  setHandler(addRecordsSignal, (...args: unknown[]) => {
    run.noteMessage();
    const requests = requestsFrom(args[0]);
    if (requests === undefined) reject(state, 'addRecords');
    else takeAll(state, requests, args[1]);
  });
  setHandler(
    takeUpdate,
    (requests, origin) => {
      run.noteMessage();
      run.noteAct();
      takeAll(state, requests, origin);
      return takeAnswers(state, requests, Date.now());
    },
    { validator: refuseBadRequests },
  );
  setHandler(
    layoutUpdate,
    (layout) => {
      run.noteMessage();
      run.noteAct();
      state.layout = adoptLayout(state.layout, layout, state.settings.idempotencyWindowMs, Date.now());
      return state.layout;
    },
    { validator: refuseBadLayout },
  );
  setHandler(readUpdate, () => undefined as never, {
    validator(questions: unknown) {
      // Whoever asks waits for the end of this task.
      run.acted = true;
      const answers = answersTo(state, workflowInfo(), questionsFrom(questions));
      throw ApplicationFailure.create({ type: ANSWERS, nonRetryable: true, details: [answers] });
    },
  });
  setHandler(configureSignal, (settings: unknown) => {
    run.noteMessage();
    if (!isSettings(settings)) {
      reject(state, 'configure');
      return;
    }
    configure(state, settings);
    followScope(state, Date.now());
    followPace(state, Date.now());
  });
  setHandler(
    limitsUpdate,
    (patch, action) => {
      run.noteMessage();
      run.noteAct();
      const inForce = changeLimits(state, patch, action);
      followScope(state, Date.now());
      followPace(state, Date.now());
      return inForce;
    },
    { validator: refuseBadLimits },
  );
  setHandler(flushSignal, () => {
    run.noteMessage();
    flushEverything(state.buffer, FLUSH_REASON.manual);
  });
  setHandler(drainSignal, (action: unknown) => {
    run.noteMessage();
    beginDrain(state, actionFrom(action, Date.now()));
  });
  setHandler(pauseSignal, (action: unknown) => {
    run.noteMessage();
    state.paused = actionFrom(action, Date.now());
    run.showState();
  });
  setHandler(resumeSignal, () => {
    run.noteMessage();
    state.paused = null;
    run.showState();
  });
  setHandler(childProgressSignal, (childId: unknown, progress: unknown) => {
    run.noteMessage();
    if (typeof childId === 'string' && isProgress(progress)) {
      recordProgress(state, childId, progress);
      state.store.noteClosed(Date.now());
    } else reject(state, 'childProgress');
  });
  setHandler(storeNoticeSignal, (notice: unknown) => {
    run.noteMessage();
    if (isStoreNotice(notice)) state.store.note(notice, Date.now());
    else reject(state, 'storeNotice');
  });
  setHandler(statusQuery, () => statusOf(state, workflowInfo()));
  setHandler(requestQuery, (requestId) => traceOf(state, requestId));
}

/** Takes requests, unless their message has been taken before. */
function takeAll(state: BatcherState, requests: readonly AcceptedRequest[], origin: unknown): void {
  if (isOrigin(origin) && !noteSender(state.senders, origin)) {
    state.counters.repeatedMessages++;
    return;
  }
  for (const request of requests) takeRequest(state, request, Date.now());
}

/** Counts a message that is malformed: anybody may send anything with Temporal's own tools. */
function reject(state: BatcherState, name: string): void {
  state.counters.malformedMessages++;
  log.warn('a message to the batcher is malformed and was ignored', { name });
}
