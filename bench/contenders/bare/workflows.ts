/*
 * The smallest honest Temporal program for the work: an intake that takes lists by signal, a child per batch of at most
 * five, a `save` activity per record with Temporal's own retries, a file at the end. No status, no controls, no bounds.
 */
import {
  ParentClosePolicy,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { cutBatches } from '../work/cut';
import type { BenchRecord, Work } from '../work/work';
import type { Activities } from './activities';

export type IntakeInput = Pick<Work, 'maxBatchSize' | 'apart' | 'maxAttempts' | 'retryIntervalMs'>;
export const addSignal = defineSignal<[BenchRecord[]]>('add');

const MAX_IN_FLIGHT = 50;

export async function intakeWorkflow(
  input: IntakeInput,
  waiting: BenchRecord[][] = [],
  run = 0,
): Promise<void> {
  let started = 0;
  let inFlight = 0;
  setHandler(addSignal, (records) => void waiting.push(...cutBatches(records, input)));
  for (;;) {
    await condition(() => waiting.length > 0 && inFlight < MAX_IN_FLIGHT);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(() => inFlight === 0);
      await continueAsNew<typeof intakeWorkflow>(input, waiting, run + 1);
    }
    const batch = waiting.shift();
    if (batch === undefined) continue;
    inFlight++;
    void executeChild(batchWorkflow, {
      workflowId: `batch-${run}-${started++}`,
      args: [batch, input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    }).finally(() => inFlight--);
  }
}

export async function batchWorkflow(
  records: BenchRecord[],
  { maxAttempts, retryIntervalMs }: IntakeInput,
): Promise<void> {
  const { save, closeBatch } = proxyActivities<Activities>({
    startToCloseTimeout: '1 minute',
    retry: { maximumAttempts: maxAttempts, initialInterval: retryIntervalMs, backoffCoefficient: 1 },
  });
  const outcomes = await Promise.all(
    records.map(async (value) => {
      const ended = await save(value).catch(() => ({ attempts: maxAttempts, error: 'save failed' }));
      return { value, ...ended };
    }),
  );
  await closeBatch(workflowInfo().workflowId, outcomes);
}
