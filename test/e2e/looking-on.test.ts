import { KeepapartClient, KeepapartUnreachableError, type LiveEvent } from '../../src/client';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(400_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pipeline: TestPipeline;
const started: StartedCommand[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await pipeline.close();
  await folder.remove();
});

test('Who looks on goes on after the API was killed, and commands say why nothing moves and find what is there.', async () => {
  folder = await temporaryFolder();
  pipeline = await startPipeline({ worker: 'own' });
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: pipeline.address.batcherId,
    KEEPAPART_TASK_QUEUE: pipeline.address.taskQueue,
    KEEPAPART_TCP_PORT: '0',
  };
  const start = async (port = '0') => {
    const api = await startSystem('api', { cwd: folder.path, env: { ...env, KEEPAPART_HTTP_PORT: port } });
    started.push(api);
    return api;
  };
  const run = async (...args: string[]) => {
    const command = startCommand([...args, '--url', api.apiUrl], { cwd: folder.path });
    started.push(command);
    return { code: await command.ended, stdout: command.stdout(), stderr: command.stderr() };
  };
  let api = await start();
  const client = new KeepapartClient({ url: api.apiUrl });
  await client.send([1, 2], { idempotencyKey: 'order-1' });
  await client.waitForOutcomes('order-1');

  const next = async (events: AsyncGenerator<LiveEvent>) => (await events.next()).value as LiveEvent;
  const events = client.events({ history: 'minutes' });
  expect((await next(events)).event).toBe('history');
  const seen = await waitFor('both records in a picture', async () => {
    const event = await next(events);
    return event.event === 'picture' && event.data.status?.total.counters.saved === 2 && event;
  });

  expect((await run('find', 'order-1:1')).stdout).toMatch(/^record {3}order-1:1: saved in batch /);
  expect(await run('find', 'nothing-like-it')).toMatchObject({ code: 1, stderr: '' });
  expect((await run('why')).stdout).toMatch(/^(Idle: nothing waits|Well: )/);
  await client.pause({ by: 'Ann' });
  expect((await run('why')).stdout).toMatch(/^Paused: by Ann since /);
  expect(await client.controls()).toMatchObject({ controls: [{ action: 'pause', by: 'Ann' }] });

  await api.killGroup();
  await expect(
    (async () => {
      for await (const event of events) expect(event.event).toBe('picture');
    })(),
  ).rejects.toBeInstanceOf(KeepapartUnreachableError);
  api = await start(new URL(api.apiUrl).port);
  // The id is of the process before: the history of the new one is sent whole.
  const again = client.events({ history: 'minutes', lastEventId: seen.id });
  expect((await next(again)).event).toBe('history');
  expect(await next(again)).toMatchObject({ data: { status: { total: { paused: true } }, silent: [] } });
  await again.return();

  await pipeline.stopWorker();
  await waitFor('the command to say that nobody works', async () =>
    /^No (worker: nobody polls|answer: workers poll)/.test((await run('why')).stdout),
  );
});
