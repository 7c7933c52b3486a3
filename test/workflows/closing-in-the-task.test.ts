import { OUTCOME } from '../../src/domain/records/outcome';
import { childOf } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';
import { tellHistory } from '../replay/tell-history';

/** Whether rollback and closing are first tried within the workflow task that decides them. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** What the first child's history tells of these activities. */
async function told(...activities: string[]): Promise<string[]> {
  const history = await pipeline.client.workflow.getHandle(childOf(pipeline, 1)).fetchHistory();
  return tellHistory(history).filter((line) => activities.some((name) => line.startsWith(name)));
}

test('A batch whose store is quick is rolled back and closed without a further workflow task.', async () => {
  pipeline = await startPipeline({ settings: { maxAttempts: 1 } });
  pipeline.store.beforeSave = ({ value }) => {
    if (value === 'never') throw new Error('no luck');
  };
  await pipeline.send(['fine', 'never']);
  await pipeline.quiet();
  expect(await told('rollback', 'closeBatches')).toEqual([
    'rollback succeeds in the task',
    'closeBatches succeeds in the task',
  ]);
  expect(pipeline.store.outcomes()).toMatchObject([
    { outcome: OUTCOME.saved },
    { outcome: OUTCOME.rolledBack, error: 'no luck' },
  ]);
});

test('A batch whose store is slow is closed by an activity, so that its workflow task does not wait for it.', async () => {
  pipeline = await startPipeline();
  pipeline.store.beforeSave = () => new Promise((resolve) => setTimeout(resolve, 150));
  await pipeline.send(['slow']);
  await pipeline.quiet();
  expect(await told('closeBatches')).toEqual(['closeBatches succeeds at attempt 1']);
});

test('A closing that takes too long for a workflow task is made by an activity, and the batch has one file (G2, G4).', async () => {
  pipeline = await startPipeline();
  let closings = 0;
  let release: () => void = () => undefined;
  pipeline.store.beforeClose = () => {
    if (++closings === 1) return new Promise((resolve) => (release = resolve));
  };
  await pipeline.send(['fine']);
  await pipeline.quiet();
  expect(await told('closeBatches')).toEqual([
    'closeBatches fails in the task',
    'closeBatches succeeds at attempt 1',
  ]);
  const before = [...pipeline.store.files];
  release();
  await waitFor('the late closing to end', () => pipeline.store.closed.length === 2);
  expect([...pipeline.store.files]).toEqual(before);
  expect(pipeline.store.outcomes()).toMatchObject([{ outcome: OUTCOME.saved }]);
});
