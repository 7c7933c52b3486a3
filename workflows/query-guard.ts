/*
 * A workflow interceptor that keeps a query from corrupting the workflow it asks. It belongs in every bundle that a worker
 * runs, for all workflow types: docs/decisions/0022-queries-between-workflow-tasks.md. The fault in full, with a program
 * that reproduces it, is in docs/upstream/query-runs-unstarted-events.md.
 *
 * The fault (server 1.29.1, SDK 1.24.0). A query that finds no pending workflow task waits in the task queue for a
 * worker. If events arrive meanwhile, and a worker takes the query that doesn't have the run in its cache, it is sent the
 * history up to that moment, including events that no workflow task has started yet. Core takes those trailing events for
 * one more task. It runs them, with the clock of the task before, answers the query, and keeps both the run and the
 * commands that it produced. They are sent with the next real task, whose history then says that other events led to them
 * at another time. The workflow goes on, but no worker can ever replay it again.
 *
 * How the guard recognizes it. Time and history size of an activation come from the started event of its workflow task. An
 * activation that does work, isn't a replay, and has more events than the one before, but the same time and size, has no
 * started event of its own. Throwing makes Core fail the query, not a workflow task, and evict the run with everything that
 * the query did to it. Whoever asks again is answered by the real task or after it.
 *
 * What gets past it. If a worker took a workflow task for the trailing events and died before it completed it, they include
 * a started event. Its time and size are new, so the activation looks like a real one.
 */
import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Start of the error message of a rejected query. The same query may succeed a moment later. */
export const QUERY_REFUSED = 'The query arrived between workflow tasks';

/** What an activation says about the workflow task that it belongs to. */
interface Task {
  historyLength: number;
  /** Time and history size: no two workflow tasks of a run share both. */
  started: string;
}

/** Called once for each workflow. The module itself is shared by all workflows of a thread, so it must not keep any state. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let before: Task | undefined;
  return {
    internals: [
      {
        activate(input, next) {
          if (bringsWork(input)) {
            const { activation } = input;
            const task = taskOf(activation);
            if (activation.isReplaying !== true && before !== undefined && isUnstarted(task, before)) {
              throw new Error(
                `${QUERY_REFUSED}: events ${before.historyLength + 1} to ${task.historyLength} have not been started; ask again`,
              );
            }
            before = task;
          }
          next(input);
        },
      },
    ],
  };
};

/** The first part of an activation that isn't for queries; those have neither a time nor a size. */
function bringsWork({ activation, batchIndex }: ActivateInput): boolean {
  return batchIndex === 0 && (activation.jobs ?? []).some(({ queryWorkflow }) => queryWorkflow == null);
}

function taskOf({ historyLength, historySizeBytes, timestamp }: ActivateInput['activation']): Task {
  return {
    historyLength: historyLength ?? 0,
    started: [timestamp?.seconds, timestamp?.nanos, historySizeBytes].join(' '),
  };
}

function isUnstarted(task: Task, before: Task): boolean {
  return task.historyLength > before.historyLength && task.started === before.started;
}
