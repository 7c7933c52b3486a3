import { pauseSignal } from '../../../src/contracts/workflow/batcher';
import { childIdOf } from '../../../src/domain/records/batch';
import { KIB, MIB } from '../../../src/domain/duration';
import { jsonBytes, type JsonValue } from '../../../src/domain/json';
import { FakeBatcherRun } from '../../helpers/fake-batcher-run';

jest.mock('@temporalio/workflow', () => jest.requireActual('../../helpers/fake-workflow').workflowApi());

/* What one workflow task asks the server for is one message to it, of which it takes 4 MiB. */
const LARGE = 'x'.repeat(60 * KIB);

/** Bytes of what was asked for, by the task that asked. */
function bytesByTask({ children }: FakeBatcherRun): number[] {
  const bytes = new Map<number, number>();
  for (const { task, input } of children)
    bytes.set(task, (bytes.get(task) ?? 0) + jsonBytes(input as JsonValue));
  return [...bytes.values()];
}

test('Batches with large records start in as many tasks as their bytes need (G6).', async () => {
  const run = await FakeBatcherRun.first({ maxBatchSize: 1 }, { startBytes: 128 * KIB });
  await run.task(() => run.add(LARGE));
  await run.task(() => run.start(childIdOf('batcher-0', 1)));
  await run.task(() => run.add(...Array.from({ length: 9 }, () => LARGE)));
  let tasks = 0;
  for (; run.children.length > 0; tasks++) {
    for (const bytes of bytesByTask(run)) expect(bytes).toBeLessThan(200 * KIB);
    const [next] = run.children;
    await run.task(() => run.start(String(next?.name)));
  }
  expect(run.results).toHaveLength(10);
  expect(tasks).toBe(9);
});

test('Pages of a large buffer start in as many tasks as their bytes need (G6).', async () => {
  const run = await FakeBatcherRun.first({}, { messages: 80 });
  await run.task(() => {
    run.signal(pauseSignal);
    for (let i = 0; i < 70; i++) run.add(LARGE);
  });
  await run.task(() => {
    run.signal(pauseSignal);
    run.flush(10);
  });
  let bytes = 0;
  while (run.children.length > 0) {
    for (const together of bytesByTask(run)) {
      expect(together).toBeLessThan(1.1 * MIB);
      bytes += together;
    }
    await run.task(() => {
      for (const { name } of [...run.children]) run.start(name);
    });
  }
  expect(bytes).toBeGreaterThan(3 * MIB);
  expect(run.carried.carried?.pages.length).toBeGreaterThan(10);
});
