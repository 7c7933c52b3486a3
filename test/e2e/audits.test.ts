import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KeepapartClient, type AuditView } from '../../src/client';
import { batchFileName } from '../../src/domain/records/outcome';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let client: KeepapartClient;
const started: System[] = [];
let env: Record<string, string>;

beforeEach(async () => {
  folder = await temporaryFolder();
  const name = `audits-${randomUUID().slice(0, 8)}`;
  env = {
    ...{ TEMPORAL_ADDRESS: testServer().address, KEEPAPART_BATCHER_ID: name, KEEPAPART_TASK_QUEUE: name },
    KEEPAPART_FLUSH_INTERVAL_MS: '1',
  };
  // The API is elsewhere: it has no batch files.
  await mkdir(path.join(folder.path, 'api'));
  const api = await start('api', path.join(folder.path, 'api'));
  client = new KeepapartClient({ url: api.apiUrl });
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((system) => system.killGroup()));
  await folder.remove();
});

async function start(role: 'api' | 'worker', cwd = folder.path): Promise<System> {
  const system = await startSystem(role, { cwd, env });
  started.push(system);
  return system;
}

function closed(auditId: string): Promise<AuditView> {
  return waitFor('the audit to be closed', async () => {
    const audit = (await client.audits()).audits.find((each) => each.auditId === auditId);
    return audit?.state !== 'running' && audit;
  });
}

test('An audit that the API asks for is done by a worker, and names what is damaged (G4).', async () => {
  expect(await client.audits()).toEqual({ audits: [] });
  await start('worker');
  const { requestId } = await client.send([1, 2]);
  await client.waitForOutcomes(requestId);
  const outDir = path.join(folder.path, 'data/out');
  const files = (await readdir(outDir)).filter((name) => name.startsWith('test_log_'));
  expect(files).toHaveLength(2);

  const before = await client.startAudit({ by: 'Ann' });
  expect(before).toMatchObject({ by: 'Ann', state: 'running', result: null, error: null });
  expect(await closed(before.auditId)).toMatchObject({
    ...{ state: 'completed', by: 'Ann', progress: null, error: null },
    result: { clean: true, files: 2, saved: 2, batches: 2, filesLeftOut: 0, silentBatchers: [], damage: [] },
  });

  await rm(path.join(outDir, files[0] ?? ''));
  const after = await closed((await client.startAudit()).auditId);
  expect(after).toMatchObject({ by: 'anonymous', result: { clean: false, files: 1 } });
  const [damage] = after.result?.damage ?? [];
  expect(damage).toMatchObject({ title: 'Files missing', guarantee: 'G4', count: 1 });
  const [place] = damage?.places ?? [];
  expect(place?.text).toContain(files[0]);
  expect((await client.find(place?.find ?? '')).found).toMatchObject([{ kind: 'batch', file: files[0] }]);
  expect((await client.audits()).audits.map(({ auditId }) => auditId)).toEqual([
    after.auditId,
    before.auditId,
  ]);
});

test('An audit whose worker is killed is begun again by another, and until it ends there is no second one.', async () => {
  const outDir = path.join(folder.path, 'data/out');
  await mkdir(outDir, { recursive: true });
  const names = Array.from({ length: 8000 }, (_, seq) =>
    batchFileName({ batchId: `batcher-0-${String(seq).padStart(8, '0')}`, openedAtMs: 0 }),
  );
  await Promise.all(names.map((name) => writeFile(path.join(outDir, name), '"save [1] success"\n')));
  const { auditId } = await client.startAudit({ by: 'Ann' });
  expect((await client.audits()).audits).toMatchObject([{ auditId, state: 'running', progress: null }]);

  const first = await start('worker');
  const { progress } = await waitFor('the progress', async () => {
    const [audit] = (await client.audits()).audits;
    return audit?.progress != null && audit;
  });
  expect(progress).toMatchObject({ stage: 'files', of: 8000 });
  expect((await client.startAudit({ by: 'Bob' })).auditId).toBe(auditId);
  await first.killGroup();
  const second = await start('worker');
  const { result, by } = await closed(auditId);
  expect(by).toBe('Ann');
  expect(result).toMatchObject({ clean: true, files: 8000, saved: 8000 });
  expect(result?.worker).toMatch(new RegExp(`^${second.child.pid}@`));
});
