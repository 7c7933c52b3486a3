import path from 'node:path';
import {
  DefaultLogger,
  Worker,
  bundleWorkflowCode,
  type InjectedSinks,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { PayloadCodec } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { GivenRecords, ReplaySinks } from '../../contracts/workflow/replay';
import type { WorkerSinks } from '../../contracts/workflow/worker-sinks';
import { workerSinks } from '../worker/worker-sinks';
import { explainError, explainOtherRecords, type Mismatch, type ReplayedTask } from './mismatch';
import { lastCompletedTask, recordsGivenIn } from './recorded-history';

/** The workflow code of this installation; sources if those are what runs. */
const WORKFLOWS = path.resolve(__dirname, '../../../workflows');
const REPORT = path.join(WORKFLOWS, 'replay/report');
const RESET_NOTICE = path.join(WORKFLOWS, 'reset-notice');

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
 * @param payloadCodecs what decodes their payloads; encrypted ones need the keys and the namespace that they are of
 * @throws Error if a replay neither succeeded nor failed
 */
export async function* replayHistories<T extends Replayable>(
  workflowBundle: WorkflowBundleOption,
  source: AsyncIterable<T> | Iterable<T>,
  payloadCodecs: PayloadCodec[] = [],
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
    { workflowBundle, sinks, dataConverter: { payloadCodecs } },
    oneByOne(),
  )) {
    if (replaying?.workflowId !== workflowId) throw new Error(`replayed ${workflowId} out of turn`);
    const mismatch = error
      ? explainError(replaying.history, error, seen.task)
      : explainOtherRecords(
          replaying.history,
          await recordsGivenIn(replaying.history, payloadCodecs),
          seen.records,
        );
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

/**
 * Bundles workflow code so that `replayHistories` can observe it. It takes seconds, and is done on demand rather than by
 * the build, because few need it. The query guard is left out: for an open run, a replay also receives the events after
 * the last task, which the guard forbids, and which are harmless here.
 */
export function bundleForReplay(workflowsPath = WORKFLOWS): Promise<WorkflowBundleOption> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [RESET_NOTICE, REPORT],
    logger: new DefaultLogger('ERROR'),
  });
}
