import path from 'node:path';
import {
  DefaultLogger,
  Worker,
  bundleWorkflowCode,
  type InjectedSinks,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { CASE_NAMES } from './cases';
import type { CommittedHistory } from './corpus';
import type { CutBatches, ReplaySinks } from './report-batches';
import { batchesIn } from './tell-history';

/** Bundles workflow code so that {@link replay} can see what it does. */
export function bundleForReplay(workflowsPath: string): Promise<WorkflowBundleOption> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [path.join(__dirname, 'report-batches.ts')],
    logger: new DefaultLogger('ERROR'),
  });
}

/**
 * Replays histories with the workflow code of a bundle, without a server.
 * @returns what went wrong, by file: “<name of the error>: <message>”; nothing for what replayed
 * @throws Error when not every history was replayed to an end, good or bad
 */
export async function replay(
  workflowBundle: WorkflowBundleOption,
  corpus: readonly CommittedHistory[],
): Promise<Record<string, string>> {
  if (corpus.length < CASE_NAMES.length) throw new Error(`only ${corpus.length} histories to replay`);
  const mismatches: Record<string, string> = {};
  let cut: CutBatches = {};
  const sinks: InjectedSinks<ReplaySinks> = {
    replay: {
      batch: {
        callDuringReplay: true,
        fn: (_info, batchId, recordIds) => {
          cut[batchId] = recordIds;
        },
      },
    },
  };
  let replayed = 0;
  // One at a time, in the order given: the results name only workflows, and two runs of one share its id.
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle, sinks }, corpus)) {
    const replaying = corpus[replayed++];
    if (replaying?.workflowId !== workflowId) throw new Error(`replayed ${workflowId} out of turn`);
    const problem = error
      ? `${error.name}: ${error.message}`
      : differences(batchesIn(replaying.history), cut);
    if (problem !== undefined) mismatches[replaying.file] = problem;
    cut = {};
  }
  if (replayed !== corpus.length) throw new Error(`replayed ${replayed} of ${corpus.length} histories`);
  return mismatches;
}

function differences(recorded: CutBatches, replayed: CutBatches): string | undefined {
  const ids = [...new Set([...Object.keys(recorded), ...Object.keys(replayed)])];
  const different = ids.filter((batchId) => recorded[batchId]?.join() !== replayed[batchId]?.join());
  if (different.length === 0) return undefined;
  const told = different.map(
    (batchId) =>
      `${batchId} held ${recorded[batchId]?.join(', ') ?? 'nothing'} and now holds ` +
      (replayed[batchId]?.join(', ') ?? 'nothing'),
  );
  return `OtherBatches: ${told.join('; ')}`;
}
