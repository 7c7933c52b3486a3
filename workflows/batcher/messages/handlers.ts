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
} from '../../../src/contracts/workflow/batcher';
import type { ControlAction } from '../../../src/contracts/workflow/controls';
import { limitsUpdate } from '../../../src/contracts/workflow/limits';
import { isIdKey } from '../../../src/domain/hashed-ids';
import { isOrigin, requestsFrom } from '../../../src/contracts/workflow/message-checks';
import { storeNoticeSignal } from '../../../src/contracts/workflow/store-notice';
import { canonicalJson } from '../../../src/domain/json';
import { FLUSH_REASON } from '../../../src/domain/records/batch';
import { adoptLayout } from '../../../src/domain/windows/layout';
import { flushEverything } from '../../../src/domain/buffer/paged-buffer';
import { limitsInWords, noteControl, recordsInWords } from './controls';
import { followScope } from '../children/conflict-scope';
import { followPace } from '../children/pace';
import { recordProgress } from '../run/in-flight';
import { changeLimits, configure, refuseBadLimits } from './limits';
import {
  actionFrom,
  isProgress,
  isSettings,
  questionsFrom,
  refuseBadLayout,
  refuseBadRequests,
} from './messages';
import { beginDrain, takeMessage } from './requests';
import type { Run } from '../run/run';
import type { BatcherState } from '../run/state';
import { isStoreNotice } from '../run/store-notices';
import { answersTo, statusOf, takeAnswers, traceOf } from './view';

/**
 * Sets the handlers of every message that reaches a batcher. They are synchronous and change the state; what follows from
 * that the loop decides.
 *
 * No handler throws, whatever a message contains: it would fail the workflow task, and every one after it.
 */
export function setHandlers(state: BatcherState, run: Run): void {
  const note = (action: ControlAction, by: unknown, detail?: string) =>
    noteControl(state.controls, {
      action,
      ...actionFrom(by, Date.now()),
      ...(detail !== undefined && { detail }),
    });
  setHandler(
    addRecordsSignal,
    (...args: unknown[]) => {
      run.noteMessage();
      const requests = requestsFrom(args[0]);
      if (requests === undefined) reject(state, 'addRecords');
      else takeMessage(state, requests, isOrigin(args[1]) ? args[1] : undefined, Date.now());
    },
    {
      description: 'Lists of records from an API, as many as arrived while the signal before was on its way.',
    },
  );
  setHandler(
    takeUpdate,
    (requests, origin, action) => {
      run.noteMessage();
      run.noteAct();
      takeMessage(state, requests, origin, Date.now());
      if (action !== undefined)
        note('redrive', action, recordsInWords(requests.reduce((sum, { values }) => sum + values.length, 0)));
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
      // The caller waits for the end of this task.
      run.acted = true;
      const answers = answersTo(state, workflowInfo(), questionsFrom(questions));
      throw ApplicationFailure.create({ type: ANSWERS, nonRetryable: true, details: [answers] });
    },
  });
  setHandler(configureSignal, (settings: unknown, action: unknown, idKey: unknown) => {
    run.noteMessage();
    if (!isSettings(settings)) {
      reject(state, 'configure');
      return;
    }
    const isNew = canonicalJson(settings as never) !== canonicalJson(state.configured as never);
    configure(state, settings);
    state.idKey = isIdKey(idKey) ? idKey : undefined;
    if (isNew) note('configure', action);
    followScope(state, Date.now());
    followPace(state, Date.now());
  });
  setHandler(
    limitsUpdate,
    (patch, action) => {
      run.noteMessage();
      run.noteAct();
      const inForce = changeLimits(state, patch, action);
      note('limits', action, limitsInWords(patch));
      followScope(state, Date.now());
      followPace(state, Date.now());
      return inForce;
    },
    { validator: refuseBadLimits },
  );
  setHandler(
    flushSignal,
    (action: unknown) => {
      run.noteMessage();
      note('flush', action);
      flushEverything(state.buffer, FLUSH_REASON.manual);
    },
    {
      description:
        'Flushes everything that is buffered, whatever its age. Input: who does it, as a JSON text.',
    },
  );
  setHandler(
    drainSignal,
    (action: unknown) => {
      run.noteMessage();
      beginDrain(state, actionFrom(action, Date.now()));
      note('drain', action);
    },
    {
      description:
        'Flushes everything that is buffered, and reports when it has its outcome. Input: who does it, as a JSON text.',
    },
  );
  setHandler(
    pauseSignal,
    (action: unknown) => {
      run.noteMessage();
      state.paused = actionFrom(action, Date.now());
      note('pause', action);
      run.showState();
    },
    {
      description: 'Starts no more batches; records are still accepted. Input: who does it, as a JSON text.',
    },
  );
  setHandler(
    resumeSignal,
    (action: unknown) => {
      run.noteMessage();
      note('resume', action);
      state.paused = null;
      run.showState();
    },
    { description: 'Starts batches again. Input: who does it, as a JSON text.' },
  );
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

/** Counts a malformed message: anything can be sent with Temporal's own tools. */
function reject(state: BatcherState, name: string): void {
  state.counters.malformedMessages++;
  log.warn('a message to the batcher is malformed and was ignored', { name });
}
