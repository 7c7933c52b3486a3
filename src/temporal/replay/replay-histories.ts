import { Worker, type InjectedSinks, type WorkflowBundleOption } from '@temporalio/worker';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { GivenRecords, ReplaySinks } from '../../contracts/workflow/replay';
import type { WorkerSinks } from '../../contracts/workflow/worker-sinks';
import { workerSinks } from '../worker/worker-sinks';
import { explainError, explainOtherRecords, type Mismatch, type ReplayedTask } from './mismatch';
import { lastCompletedTask } from './recorded-history';

/** What a replay needs. The id matters, because a batcher derives the ids of its batches from its own. */
export interface Replayable {
  workflowId: string;
  history: History;
}

/** A replayed history; without a mismatch, the code made the same decisions. */
export interface Replayed<T> {
  replayed: T;
  mismatch?: Mismatch;
}

/**
 * Replays histories with the workflow code of a bundle, without a server: one at a time, in the given order, taking each
 * from the source only after the previous one.
 * @throws Error if a replay neither succeeded nor failed
 */
export async function* replayHistories<T extends Replayable>(
  workflowBundle: WorkflowBundleOption,
  source: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<Replayed<T>> {
  let replaying: T | undefined;
  let seen = nothingSeen(0);
  async function* oneByOne() {
    for await (const one of source) {
      replaying = one;
      seen = nothingSeen(lastCompletedTask(one.history));
      yield one;
    }
  }
  const sinks: InjectedSinks<ReplaySinks & WorkerSinks> = {
    ...workerSinks(),
    replay: {
      records: {
        callDuringReplay: true,
        fn({ historyLength }, workflowId, recordIds) {
          // For an open run, the events after its last task are passed too; what follows from them is new.
          if (historyLength <= seen.lastCompletedTask) seen.records[workflowId] = recordIds;
        },
      },
      commands: {
        callDuringReplay: true,
        fn({ historyLength: startedEventId }, given) {
          const before = seen.task.startedEventId === startedEventId ? seen.task.given : [];
          seen.task = { startedEventId, given: [...before, ...given] };
        },
      },
    },
  };
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, sinks },
    oneByOne(),
  )) {
    if (replaying?.workflowId !== workflowId) throw new Error(`replayed ${workflowId} out of turn`);
    const mismatch = error
      ? explainError(replaying.history, error, seen.task)
      : explainOtherRecords(replaying.history, seen.records);
    const replayed = replaying;
    replaying = undefined;
    yield { replayed, ...(mismatch && { mismatch }) };
  }
  if (replaying !== undefined) throw new Error(`${replaying.workflowId} was not replayed to an end`);
}

interface Seen {
  lastCompletedTask: number;
  records: GivenRecords;
  /** The last replayed task. */
  task: ReplayedTask;
}

function nothingSeen(lastCompletedTask: number): Seen {
  return { lastCompletedTask, records: {}, task: { startedEventId: 0, given: [] } };
}
