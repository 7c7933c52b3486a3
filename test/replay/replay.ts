import { type WorkflowBundleOption } from '@temporalio/worker';
import { replayHistories } from '../../src/temporal/replay/replay-histories';
import type { CommittedHistory } from './corpus';

/**
 * Replays committed histories with the workflow code of a bundle.
 * @returns what went wrong, by file: “<name of the error>: <message>”; nothing for what replayed
 * @throws Error when not every history was replayed to an end, good or bad
 */
export async function replay(
  workflowBundle: WorkflowBundleOption,
  corpus: readonly CommittedHistory[],
): Promise<Record<string, string>> {
  if (corpus.length === 0) throw new Error('no histories to replay');
  const mismatches: Record<string, string> = {};
  const files: string[] = [];
  for await (const { replayed, mismatch } of replayHistories(workflowBundle, corpus)) {
    files.push(replayed.file);
    if (mismatch !== undefined) mismatches[replayed.file] = mismatch.original;
  }
  if (files.join() !== corpus.map(({ file }) => file).join())
    throw new Error(`replayed only ${files.join()}`);
  return mismatches;
}
