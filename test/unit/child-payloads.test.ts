import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import type { ChildInput, ChildPolicy, ChildResult } from '../../src/contracts/workflow/child';
import { MIB } from '../../src/domain/duration';
import { jsonBytes, type JsonValue } from '../../src/domain/json';
import { unpackOutcomes, packKept } from '../../src/domain/records/packed-batch';
import { batchesWorkflow } from '../../workflows/child/child';
import { FakeWorkflow } from '../helpers/fake-workflow';

jest.mock('@temporalio/workflow', () => jest.requireActual('../helpers/fake-workflow').workflowApi());

/* A payload may take 2 MiB, and the server ends a workflow that sends more. */
const RECORDS = 1000;
const records = Array.from({ length: RECORDS }, (_, i) => ({
  recordId: `r:${i}`,
  value: `${i} ${'x'.repeat(1000)}`,
}));
/** A kibibyte in UTF-8 and a third of that in characters, or what in characters would be within bounds; each another. */
const errorOf = (i: number) => `${i} ${'☹'.repeat(i % 2 === 0 ? 341 : 250)}`;

const POLICY: ChildPolicy = {
  maxAttempts: 1,
  retryIntervalMs: 1,
  outcomeFormat: 'text',
  onFailure: 'keep',
  cutBy: { maxBatchSize: RECORDS, rules: [] },
};

function begin(policy: Partial<ChildInput>): { workflow: FakeWorkflow; result: Promise<ChildResult> } {
  const workflow = new FakeWorkflow('batcher-0-00000001');
  const batches = [{ flushReason: 'size' as const, records: packKept(records) }];
  return { workflow, result: batchesWorkflow({ openedAtMs: 0, batches, ...POLICY, ...policy }) };
}

/** Answers what follows the saves, and checks how much each step takes. */
async function finish(workflow: FakeWorkflow, result: Promise<ChildResult>): Promise<void> {
  const rollback = workflow.take('rollback');
  expect(jsonBytes(rollback.input as unknown as JsonValue)).toBeLessThan(1.5 * MIB);
  await workflow.task(() => rollback.resolve({ failures: [], failed: [] }));
  const closing = workflow.take('closeBatches');
  expect(jsonBytes(closing.input as unknown as JsonValue)).toBeLessThan(1.5 * MIB);
  await workflow.task(() => closing.resolve({ batches: [{ location: 'file' }] }));
  const { outcomes } = await result;
  expect(jsonBytes(outcomes as unknown as JsonValue)).toBeLessThan(0.375 * MIB);
  const told = unpackOutcomes(outcomes, 0, records);
  expect(told.map(({ outcome }) => outcome)).toEqual(
    records.map((_, i) => (i === 0 ? 'saved' : 'rolled_back')),
  );
  for (const [i, { error = '' }] of told.entries()) if (i > 0) expect(error).toMatch(/^\d+ ☹+$/);
}

test('A batch of a thousand records of 1 KiB that are saved one by one, and fail with errors of 1 KiB, is closed (G4, G6).', async () => {
  const { workflow, result } = begin({});
  await workflow.task();
  expect(workflow.activities).toHaveLength(RECORDS);
  await workflow.task(() => {
    workflow.take('save').resolve({ attempt: 1, tookMs: 1 });
    for (let i = 1; i < RECORDS; i++) {
      const cause = ApplicationFailure.create({ message: errorOf(i), details: [{ attempt: 1 }] });
      workflow
        .take('save')
        .reject(
          new ActivityFailure(
            'failed',
            'save',
            `r:${i}`,
            RetryState.MAXIMUM_ATTEMPTS_REACHED,
            'worker',
            cause,
          ),
        );
    }
  });
  await finish(workflow, result);
});

test('A batch of a thousand records of 1 KiB that are saved in bulk, and fail with the largest possible result, is closed (G4, G6).', async () => {
  const { workflow, result } = begin({ bulk: {} });
  await workflow.task();
  const { resolve } = workflow.take('saveBatches');
  const failures = records.map((_, i) => ({ message: errorOf(i), refused: false }));
  await workflow.task(() => resolve({ failures, failed: records.slice(1).map((_, i) => [0, i + 1, i + 1]) }));
  await finish(workflow, result);
});
