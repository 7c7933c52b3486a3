import type { History } from '@temporalio/common/lib/proto-utils';
import { batchIdOf } from '../../src/domain/batch';
import type { startPipeline, TestPipeline } from '../helpers/pipeline';
import type { CaseName } from './cases';

type Recording = Partial<Record<CaseName, History>>;
type Start = (...options: Parameters<typeof startPipeline>) => Promise<TestPipeline>;

/** A run on a real server, and the cases that its histories are for. */
export interface Scenario {
  cases: readonly CaseName[];
  record: (start: Start) => Promise<Recording>;
}

/** Makes every save of the value `slow` wait for `release`. */
export function holdSlowRecords(pipeline: TestPipeline): { held: () => number; release: () => void } {
  let release: () => void = () => undefined;
  let held = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = (record) => {
    if (record.value !== 'slow') return;
    held++;
    return released;
  };
  return { held: () => held, release };
}

/** The history of the first batch, its last run. */
export function batchHistory(pipeline: TestPipeline): Promise<History> {
  return pipeline.client.workflow.getHandle(batchIdOf(pipeline.batcherWorkflowId, 1)).fetchHistory();
}

export function batcherHistory(pipeline: TestPipeline, runId?: string): Promise<History> {
  return pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId, runId).fetchHistory();
}
