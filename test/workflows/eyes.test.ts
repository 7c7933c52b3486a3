import request from 'supertest';
import { QUERY_REFUSED } from '../../workflows/query-guard';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { appOf, failFor, lettersListed, redriveBy } from '../helpers/pipeline-app';
import { waitFor } from '../helpers/wait-for';

/** What the dashboard is told beside status: who did what, who works, what failed alike. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

test('Who did what is remembered with its time across the runs of a batcher, once for all shards, the latest first.', async () => {
  pipeline = await startPipeline({ shards: 2, limits: { messages: 4 } });
  const { batcher, shards } = pipeline;
  await batcher.pause('Ann');
  await batcher.changeLimits({ maxInFlight: 20, conflicts: null }, 'Ben');
  await batcher.resume('Ann');
  await batcher.flush('Cleo');
  await waitFor('another run', async () => (await shards.at(0).status()).run.continuedAsNew > 0);
  const app = appOf(batcher);
  const { body } = await request(app).get('/v1/controls').expect(200);
  expect(body).toMatchObject({
    controls: [
      { action: 'flush', by: 'Cleo', detail: null, shards: [0, 1] },
      { action: 'resume', by: 'Ann' },
      { action: 'limits', by: 'Ben', detail: 'maxInFlight: 20, conflicts as configured', shards: [0, 1] },
      { action: 'pause', by: 'Ann', at: expect.stringMatching(/^\d{4}-/) },
    ],
  });
});

test('The worker is named with its queues and what waits in them, and is gone when it has stopped.', async () => {
  pipeline = await startPipeline({ worker: 'own' });
  await pipeline.startWorker();
  await pipeline.send([1]);
  await pipeline.quiet();
  const read = async (client = anotherClient(pipeline)) =>
    (await request(appOf(client)).get('/v1/workers').expect(200)).body as {
      isServed: boolean;
      workers: { taskQueues: string[] }[];
      taskQueues: { name: string; kind: string; backlog: number | null }[];
    };
  const { taskQueue } = pipeline.address;
  const view = await waitFor('the worker', async () => {
    const now = await read();
    return now.isServed && now.workers[0]?.taskQueues.length === 2 && now;
  });
  expect(view.workers).toHaveLength(1);
  expect(view.workers[0]?.taskQueues.sort()).toEqual([taskQueue, `${taskQueue}-adoption`]);
  expect(view.taskQueues.map(({ name, kind }) => [name, kind])).toEqual([
    [taskQueue, 'workflow'],
    [taskQueue, 'activity'],
    [`${taskQueue}-adoption`, 'activity'],
  ]);
  expect(view.taskQueues.every(({ backlog }) => backlog === 0)).toBe(true);
});

test('Dead letters are counted by error with when they are forgotten, and a group is sent again as a whole.', async () => {
  pipeline = await startPipeline({ settings: { maxAttempts: 1 } });
  const failing = failFor(pipeline, 'a', 'b', 1);
  await pipeline.send(['a', 'b', 1]);
  await pipeline.quiet();
  const app = appOf(pipeline.batcher);
  await lettersListed(app, 3);
  const { body } = await request(app).get('/v1/dead-letters/groups').expect(200);
  expect(body).toMatchObject({ isWhole: true, groups: [{ error: 'no place for #', records: 3 }] });
  const [group] = (body as { groups: { oldestAt: string; forgottenAt: string; error: string }[] }).groups;
  expect(Date.parse(group?.forgottenAt ?? '')).toBeGreaterThan(Date.parse(group?.oldestAt ?? ''));
  failing.clear();
  const result = await redriveBy(app, { error: group?.error });
  expect(result.redriven).toHaveLength(3);
  await pipeline.quiet();
});

test('No view of a live system queries a workflow (FAULTS W1).', async () => {
  pipeline = await startPipeline();
  await pipeline.send([1, 2]);
  const queries: string[] = [];
  const service = pipeline.client.workflowService;
  const query = service.queryWorkflow.bind(service);
  Object.assign(service, {
    queryWorkflow: (...args: Parameters<typeof query>) => {
      queries.push(QUERY_REFUSED);
      return query(...args);
    },
  });
  const app = appOf(pipeline.batcher);
  const [overview] = await Promise.all([
    waitFor('the batcher to answer within a second', async () => {
      const now = await pipeline.batcher.overview();
      return now.silent.length === 0 && now;
    }),
    request(app).get('/v1/workers').expect(200),
    request(app).get('/v1/controls').expect(200),
    request(app).get('/v1/dead-letters/groups').expect(200),
    request(app).get('/v1/find').query({ q: 'nothing' }).expect(200),
  ]);
  expect(overview.status?.total.counters.accepted).toBe(2);
  expect(queries).toEqual([]);
});
