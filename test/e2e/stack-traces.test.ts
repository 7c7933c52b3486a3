import { randomUUID } from 'node:crypto';
import { RUN_LIMITS, type BatcherInput } from '../../src/contracts/workflow/batcher';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import { TEST_SETTINGS } from '../helpers/test-settings';
import { startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let worker: StartedCommand | undefined;
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  await worker?.killGroup();
  await folder.remove();
});

test.each([
  ['keeps no stack traces of workflows unless told to', {}, false],
  ['keeps them with STACK_TRACES=on', { KEEPAPART_STACK_TRACES: 'on' }, true],
])('a worker %s', async (_, setting, keeps) => {
  const name = `test-${randomUUID().slice(0, 8)}`;
  const env = { TEMPORAL_ADDRESS: testServer().address, KEEPAPART_TASK_QUEUE: name, ...setting };
  worker = await startSystem('worker', { cwd: folder.path, env });
  const client = await connectClient(embeddedTarget(testServer().address));
  const input: BatcherInput = { settings: TEST_SETTINGS, limits: RUN_LIMITS };
  const handle = await client.workflow.start(WORKFLOW_TYPE.batcher, {
    workflowId: name,
    taskQueue: name,
    args: [input],
  });
  try {
    const stacks = await handle.query<string>('__stack_trace');
    expect(stacks.includes('workflows/batcher/batcher.ts')).toBe(keeps);
  } finally {
    await handle.terminate('test');
    await client.connection.close();
  }
});
