import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { childIdOf } from '../../src/domain/records/batch';
import { eventTypeOf } from '../../src/temporal/replay/commands';
import { workerSinks } from '../../src/temporal/worker/worker-sinks';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** A pipeline where the held tasks of a type are answered when the test says so; until then they are only counted. */
async function startHeld(workflowType: string, settings: Partial<PipelineSettings> = {}) {
  let holds = 0;
  let letGo = () => {};
  let heldUntil: Promise<void> = Promise.resolve();
  const sinks: InjectedSinks<WorkerSinks> = {
    ...workerSinks(),
    workflowTask: {
      hold: {
        fn: (workflow) => {
          if (workflow.workflowType !== workflowType) return;
          holds++;
          return heldUntil;
        },
      },
    },
  };
  pipeline = await startPipeline({ settings, tuning: { sinks } });
  return {
    holds: () => holds,
    keep: () => (heldUntil = new Promise((resolve) => (letGo = resolve))),
    letGo: () => letGo(),
  };
}

const addOne = () => pipeline.shard.addRecords({ requestId: randomUUID(), values: [3] });

async function eventTypes(workflowId: string): Promise<string[]> {
  const { events } = await pipeline.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).map(eventTypeOf);
}

const SIGNALED = 'WorkflowExecutionSignaled';
const TASK_STARTED = 'WorkflowTaskStarted';

test('What arrives while a task is held is acknowledged at once, and shares the task after it.', async () => {
  const held = await startHeld(WORKFLOW_TYPE.batcher);
  await pipeline.batcher.pause('the test');
  void held.keep();
  await waitFor(
    'a task to be held',
    async () => {
      if (held.holds() === 0) await addOne();
      return held.holds() > 0;
    },
    // Tasks are held only when they come close on one another.
    { intervalMs: 5 },
  );
  for (let i = 0; i < 4; i++) await addOne();
  held.letGo();
  const { counters } = await pipeline.status();

  const events = await eventTypes(pipeline.batcherWorkflowId);
  expect(events.filter((type) => type === SIGNALED)).toHaveLength(counters.accepted + 1);
  const lastTask = events.lastIndexOf(TASK_STARTED);
  const taskBefore = events.lastIndexOf(TASK_STARTED, lastTask - 1);
  const shared = events.slice(taskBefore, lastTask).filter((type) => type === SIGNALED);
  expect(shared.length).toBeGreaterThanOrEqual(4);
});

test('Saves of a batch that end while a task for the first of them is held share the task after it.', async () => {
  const held = await startHeld(WORKFLOW_TYPE.child, { maxBatchSize: 5 });
  void held.keep();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  // The end of a quick save is never held.
  pipeline.store.beforeSave = ({ value }) => (value === 'first' ? sleep(150) : released);
  await pipeline.send(['first', 'b', 'c', 'd', 'e']);
  await waitFor('a task to be held', () => held.holds() > 0);
  release();
  const childId = childIdOf(pipeline.batcherWorkflowId, 1);
  await waitFor('all saves to end', async () => {
    const { raw } = await pipeline.client.workflow.getHandle(childId).describe();
    return (raw.pendingActivities ?? []).length === 0;
  });
  held.letGo();
  await pipeline.quiet();

  // That of the start, the held one, the one that is shared, and that of the closing.
  const tasks = (await eventTypes(childId)).filter((type) => type === TASK_STARTED);
  expect(tasks).toHaveLength(4);
});
