import { FLUSH_REASON } from '../../src/domain/batch';
import { OUTCOME } from '../../src/domain/outcome';
import { WORKFLOW_TYPE } from '../../src/contracts/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';
import type { HistoryReader } from './history-reader';

/** One kind of life of a workflow that every version's corpus has to hold. */
export interface ReplayCase {
  workflowType: string;
  /** What its history must contain to deserve the name; all of it has to be true. */
  shows: Record<string, (history: HistoryReader) => boolean>;
}

/** By the name in the file: `<version>-<workflow>-<case>.json`. */
export const CASES: Record<string, ReplayCase> = {
  'batch-clean': {
    workflowType: WORKFLOW_TYPE.batch,
    shows: {
      'several saves': (history) => history.activities('save').length > 1,
      'no second attempt': (history) => Math.max(...history.attempts('save')) === 1,
      'no rollback': (history) => history.activities('rollback').length === 0,
      'its file': (history) => history.activities('closeBatch').length === 1 && history.completed(),
    },
  },
  'batch-retries': {
    workflowType: WORKFLOW_TYPE.batch,
    shows: {
      'second and third attempts': (history) => [2, 3].every((n) => history.attempts('save').includes(n)),
      'no rollback': (history) => history.activities('rollback').length === 0,
      'its file': (history) => history.completed(),
    },
  },
  'batch-rollback': {
    workflowType: WORKFLOW_TYPE.batch,
    shows: {
      'an exhausted save': (history) => history.failedFor('save', 'RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED'),
      'a refused save': (history) => history.failedFor('save', 'RETRY_STATE_NON_RETRYABLE_FAILURE'),
      'a rollback for each': (history) => history.activities('rollback').length === 2,
      'a record that was saved': (history) => history.outcomes().includes(OUTCOME.saved),
    },
  },
  'batch-cancelled': {
    workflowType: WORKFLOW_TYPE.batch,
    shows: {
      'a request to cancel': (history) => history.has('WORKFLOW_EXECUTION_CANCEL_REQUESTED'),
      'a save that was cancelled': (history) => history.has('ACTIVITY_TASK_CANCEL_REQUESTED'),
      'its rollback': (history) => history.activities('rollback').length === 1,
      'both outcomes in the file all the same': (history) =>
        history.completed() &&
        history.outcomes().includes(OUTCOME.saved) &&
        history.outcomes().includes(OUTCOME.rolledBack),
    },
  },
  'batcher-size-and-age': {
    workflowType: WORKFLOW_TYPE.batcher,
    shows: {
      'a full batch': (history) => flushReasons(history).includes(FLUSH_REASON.size),
      'a batch that was due': (history) => flushReasons(history).includes(FLUSH_REASON.age),
      'a timer': (history) => history.has('TIMER_FIRED'),
      'the end of every batch': (history) =>
        history.events('CHILD_WORKFLOW_EXECUTION_COMPLETED').length === flushReasons(history).length,
    },
  },
  'batcher-continued-as-new': {
    workflowType: WORKFLOW_TYPE.batcher,
    shows: {
      'its handing over': (history) => history.has('WORKFLOW_EXECUTION_CONTINUED_AS_NEW'),
      'batches in flight': (history) =>
        history.events('CHILD_WORKFLOW_EXECUTION_STARTED').length >
        history.events('CHILD_WORKFLOW_EXECUTION_COMPLETED').length,
    },
  },
  'batcher-adopting': {
    workflowType: WORKFLOW_TYPE.batcher,
    shows: {
      'a run before it': (history) => history.started()['continuedExecutionRunId'] !== undefined,
      'adoptions that ended': (history) => history.attempts('adoptBatch').length >= 2,
      'a carried record in a batch of its own': (history) => flushReasons(history).length > 0,
    },
  },
  'batcher-paused': {
    workflowType: WORKFLOW_TYPE.batcher,
    shows: {
      'every control in turn': (history) =>
        history.signals().join() === 'pause,addRecords,resume,flush,addRecords,configure',
      'a full batch that waited for resume': (history) => flushReasons(history)[0] === FLUSH_REASON.size,
      'a manual flush': (history) => flushReasons(history)[1] === FLUSH_REASON.manual,
      'a batch under the new settings': (history) => flushReasons(history)[2] === FLUSH_REASON.age,
    },
  },
};

/** Why each batch that a batcher started went, in order. */
function flushReasons(history: HistoryReader): unknown[] {
  return history
    .events('START_CHILD_WORKFLOW_EXECUTION_INITIATED')
    .map(({ attributes }) => attributes['searchAttributes'].indexedFields[SEARCH_ATTRIBUTES.flushReason.name])
    .map((payload) => JSON.parse(Buffer.from(payload.data, 'base64').toString()));
}
