import { randomUUID } from 'node:crypto';
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkerSinks } from '../../src/contracts/worker-sinks';
import { eventTypeOf } from '../../src/temporal/replay/commands';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** A paused pipeline whose held tasks are answered when the test says so; until then they are asked for only. */
async function startHeld() {
  let holds = 0;
  let letGo = () => {};
  let heldUntil: Promise<void> = Promise.resolve();
  const sinks: InjectedSinks<WorkerSinks> = {
    workflowTask: {
      hold: {
        fn: () => {
          holds++;
          return heldUntil;
        },
      },
    },
  };
  pipeline = await startPipeline({ tuning: { sinks } });
  await pipeline.batcher.pause('the test');
  return {
    holds: () => holds,
    keep: () => (heldUntil = new Promise((resolve) => (letGo = resolve))),
    letGo: () => letGo(),
  };
}

const addOne = () => pipeline.shard.addRecords(randomUUID(), [3], false);

async function eventTypes(): Promise<string[]> {
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  return (events ?? []).map(eventTypeOf);
}

const SIGNALED = 'WorkflowExecutionSignaled';
const TASK_STARTED = 'WorkflowTaskStarted';

test('What arrives while a task is held is acknowledged at once, and shares the task after it.', async () => {
  const held = await startHeld();
  void held.keep();
  await waitFor('a task to be held', async () => {
    if (held.holds() === 0) await addOne();
    return held.holds() > 0;
  });
  for (let i = 0; i < 4; i++) await addOne();
  held.letGo();
  const { counters } = await pipeline.status();

  const events = await eventTypes();
  expect(events.filter((type) => type === SIGNALED)).toHaveLength(counters.accepted + 1);
  const lastTask = events.lastIndexOf(TASK_STARTED);
  const taskBefore = events.lastIndexOf(TASK_STARTED, lastTask - 1);
  const shared = events.slice(taskBefore, lastTask).filter((type) => type === SIGNALED);
  expect(shared.length).toBeGreaterThanOrEqual(4);
});
