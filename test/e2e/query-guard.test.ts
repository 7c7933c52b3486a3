import { setTimeout as sleep } from 'node:timers/promises';
import { QUERY_REFUSED } from '../../workflows/query-guard';
import { SECOND } from '../../src/domain/duration';
import { apiOf } from '../helpers/api';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { runReplay } from '../helpers/replay-command';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(400_000);

/** What Temporal's UI asks every workflow that it shows. */
const QUERY_OF_THE_UI = '__temporal_workflow_metadata';

/**
 * A query waits in the dead worker's own task queue for 5 s, and only then where another worker finds it; so does the
 * workflow task of a signal. Records that are sent so long after the query are there when a worker takes the query, and
 * their task still waits. None of that shows from outside, so this has to be a time.
 */
const RECORDS_AFTER_MS = 3 * SECOND;

/** On a machine that stands still for seconds, the task may come before the query after all. */
const ROUNDS = 10;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pipeline: TestPipeline;
const started: System[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((system) => system.killGroup()));
  await pipeline.close();
  await folder.remove();
});

test('After a query waited for a new worker while records arrived, the batcher replays and takes records (G3, G8).', async () => {
  folder = await temporaryFolder();
  pipeline = await startPipeline({ worker: 'none' });
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: pipeline.address.batcherId,
    KEEPAPART_TASK_QUEUE: pipeline.address.taskQueue,
  };
  const start = async (role: 'api' | 'worker') => {
    const system = await startSystem(role, { cwd: folder.path, env });
    started.push(system);
    return system;
  };
  const [{ apiUrl }, firstWorker] = await Promise.all([start('api'), start('worker')]);
  const api = apiOf(apiUrl);
  let sent = 0;
  async function send(count: number): Promise<void> {
    await api.send(Array.from({ length: count }, () => sent++));
  }

  await send(3);
  await api.settled(sent);
  let worker = firstWorker;
  for (let round = 1, refused = false; !refused; round++) {
    expect(round).toBeLessThanOrEqual(ROUNDS);
    const next = await start('worker');
    await worker.killGroup();
    worker = next;
    // The API asks by an update. That is due at the same time as the query, so every other round goes without it.
    const answers = Promise.all([askLikeTheUi(), round % 2 === 1 && api.call('GET', '/v1/status')]);
    await sleep(RECORDS_AFTER_MS);
    await send(3);
    [refused] = await answers;
    // The task that is due brings this one too. A batcher that took the others at the time of its task before would find
    // them overdue now, and start a batch; a replay, which takes all of them in this task, would not.
    await send(1);
    await api.settled(sent);

    const replay = await runReplay(folder.path, ['--live', '--json'], env);
    expect(replay.report()).toMatchObject({ mismatches: [], complete: true });
  }

  await send(2);
  const { counters } = await api.settled(sent);
  expect(counters).toMatchObject({ accepted: sent, saved: sent });
});

/** Whether the guard had to refuse it. */
async function askLikeTheUi(): Promise<boolean> {
  const { client, batcherWorkflowId } = pipeline;
  const asking = client.withDeadline(Date.now() + 30 * SECOND, () =>
    client.workflow.getHandle(batcherWorkflowId).query(QUERY_OF_THE_UI),
  );
  return asking.then(
    () => false,
    (error: unknown) => String(error).includes(QUERY_REFUSED),
  );
}
