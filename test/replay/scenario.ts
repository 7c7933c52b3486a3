import type { History } from '@temporalio/common/lib/proto-utils';
import { childIdOf } from '../../src/domain/records/batch';
import { HOUR } from '../../src/domain/duration';
import type { startPipeline, TestPipeline } from '../helpers/pipeline';
import type { CaseName } from './cases';

type Recording = Partial<Record<CaseName, History>>;
export type Start = (...options: Parameters<typeof startPipeline>) => Promise<TestPipeline>;

/** A run on a real server, and the cases that its histories are for. */
export interface Scenario {
  cases: readonly CaseName[];
  record: (start: Start) => Promise<Recording>;
}

/** Long enough that nothing is flushed for its age. */
export const NEVER = { flushIntervalMs: HOUR } as const;

/** Long enough that a child tells its batcher before the next attempt which batches are closed. */
export const TELLING = { retryIntervalMs: 2100 } as const;

/** Has a run of a batcher end after so many messages, and for no other reason. */
export function runsOf(messages: number) {
  return { historyEvents: 4000, historyBytes: 1e9, messages };
}

/** Makes every save of the value `slow` wait for `release`. */
export function holdSlowRecords(pipeline: TestPipeline): { held: () => number; release: () => void } {
  let release: () => void = () => undefined;
  let held = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = ({ value }) => {
    if (value !== 'slow') return;
    held++;
    return released;
  };
  return { held: () => held, release };
}

/** The id of the first child. */
export function firstChildOf(pipeline: TestPipeline): string {
  return childIdOf(pipeline.batcherWorkflowId, 1);
}

/** The history of a workflow's last run, or that of another. */
export function historyOf(pipeline: TestPipeline, workflowId: string, runId?: string): Promise<History> {
  return pipeline.client.workflow.getHandle(workflowId, runId).fetchHistory();
}

/** The history of the first child, its last run. */
export function childHistory(pipeline: TestPipeline): Promise<History> {
  return historyOf(pipeline, firstChildOf(pipeline));
}

export function batcherHistory(pipeline: TestPipeline, runId?: string): Promise<History> {
  return historyOf(pipeline, pipeline.batcherWorkflowId, runId);
}

export async function runIdOf(pipeline: TestPipeline, workflowId: string): Promise<string> {
  const { runId } = await pipeline.client.workflow.getHandle(workflowId).describe();
  return runId;
}
