import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startCommand, temporaryFolder } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

async function bench(...args: string[]) {
  const env = { TEMPORAL_ADDRESS: testServer().address, KEEPAPART_FLUSH_INTERVAL_MS: '100' };
  const command = startCommand(['bench', ...args], { cwd: folder.path, env });
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

test('keepapart bench measures a system of its own, compares its files with what was acknowledged, and leaves nothing behind.', async () => {
  const outDir = path.join(folder.path, 'data', 'out');
  await mkdir(outDir, { recursive: true });
  const { code, stdout, stderr } = await bench('--records', '60', '--profiles', 'auto', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'keepapart: auto, 60 records\n' });

  const [result] = JSON.parse(stdout).results;
  expect(result).toMatchObject({
    profile: { name: 'auto', saveActivity: 'auto' },
    clean: true,
    report: { acknowledged: 60, outcomes: { total: 60, saved: 60 } },
  });
  expect(result.perSecond).toBeGreaterThan(0);
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);

  expect(await readdir(path.join(folder.path, 'data'))).toEqual(['out']);
  expect(await readdir(outDir)).toEqual([]);
  const connection = await Connection.connect({ address: testServer().address });
  const { workflow } = new Client({ connection });
  const left = await workflow.count(
    `WorkflowId STARTS_WITH 'bench-' AND ExecutionStatus = 'Running' AND WorkflowType = 'batcherWorkflow'`,
  );
  expect(left.count).toBe(0);
  await connection.close();
});

test('A profile that there is none of is refused with its name.', async () => {
  const { code, stderr } = await bench('--profiles', 'fastest');
  expect(code).toBe(2);
  expect(stderr).toContain("argument 'fastest' is invalid. Expected one of auto, record, batch");
});
