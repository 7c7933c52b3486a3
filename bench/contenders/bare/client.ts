import { Client, Connection } from '@temporalio/client';
import type { ContenderClient } from '../work/run-client';
import type { BenchRecord, Work } from '../work/work';
import type { IntakeInput } from './workflows';

export const TASK_QUEUE = 'bare';

export async function connect({
  server,
  maxBatchSize,
  apart,
  maxAttempts,
  retryIntervalMs,
}: Work): Promise<ContenderClient> {
  const client = new Client({ connection: await Connection.connect({ address: server }) });
  const input: IntakeInput = { maxBatchSize, apart, maxAttempts, retryIntervalMs };
  return {
    send: (records: BenchRecord[]) =>
      client.workflow.signalWithStart('intakeWorkflow', {
        workflowId: 'intake',
        taskQueue: TASK_QUEUE,
        args: [input],
        signal: 'add',
        signalArgs: [records],
      }),
  };
}
