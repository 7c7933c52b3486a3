import { randomUUID } from 'node:crypto';
import type { VersionsView } from '../../src/contracts/workflow/versions';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
const started: StartedCommand[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  const name = `test-${randomUUID().slice(0, 8)}`;
  env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_TASK_QUEUE: name,
    KEEPAPART_DEPLOYMENT: name,
  };
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

async function startWorker(buildId: string): Promise<StartedCommand> {
  const worker = await startSystem('worker', {
    cwd: folder.path,
    env: { ...env, KEEPAPART_BUILD_ID: buildId },
  });
  started.push(worker);
  return worker;
}

async function keepapart(...args: string[]) {
  const command = startCommand(args, { cwd: folder.path, env });
  return { code: await command.ended, stdout: command.stdout(), stderr: command.stderr() };
}

async function versions(): Promise<VersionsView> {
  const { code, stdout } = await keepapart('versions', '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as VersionsView;
}

test('A worker says whether its build gets work, and `keepapart versions` shows and changes it.', async () => {
  const a = await startWorker('a');
  await waitFor('build a to be current', () =>
    a.stderr().includes('this is the first build, so it is current now'),
  );
  const b = await startWorker('b');
  await waitFor('build b to wait', () => b.stderr().includes('keepapart versions promote b'));
  expect((await versions()).current).toBe('a');

  await waitFor('build b to be ramped', async () => {
    const { code } = await keepapart('versions', 'promote', 'b', '--percent', '25');
    return code === 0;
  });
  expect((await versions()).versions).toMatchObject([
    { buildId: 'b', state: 'ramping', percent: 25, workers: 1 },
    { buildId: 'a', state: 'current', percent: 75, workers: 1, openBatches: 0 },
    { buildId: null, percent: 0, workers: 0 },
  ]);

  expect((await keepapart('versions', 'promote', 'b', '--percent', '0')).code).toBe(0);
  const promoted = await keepapart('versions', 'promote', 'b');
  expect(promoted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^b +current +100 %/m) });
  expect(promoted.stdout).toMatch(/^a +draining +-/m);
});

test('`keepapart versions promote` says what is wrong: nothing or two things named, a build that is not there.', async () => {
  expect(await keepapart('versions', 'promote')).toMatchObject({ code: 2 });
  expect(await keepapart('versions', 'promote', 'a', '--unversioned')).toMatchObject({ code: 2 });
  const { code, stderr } = await keepapart('versions', 'promote', 'nobody');
  expect(code).toBe(1);
  expect(stderr).toContain('[version-refused]');
});
