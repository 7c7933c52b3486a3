import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { apiOf } from '../helpers/api';
import { audit, readBatchFiles } from '../helpers/audit';
import { freePort } from '../helpers/free-port';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(300_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System | undefined;
const outDir = () => path.join(folder.path, 'data/out');
const start = async (env: Record<string, string> = {}) => {
  system = await startSystem('serve', { cwd: folder.path, env });
  return apiOf(system.apiUrl);
};

beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  await system?.killGroup();
  await folder.remove();
});

test('The list of the quick start becomes files that keep 1 and 2 apart, line by line as promised.', async () => {
  const metricsPort = String(await freePort());
  const api = await start({ KEEPAPART_METRICS_PORT: metricsPort });
  const { requestId, records } = await api.send([1, 2, 3, 4, 5]);
  expect(records.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5]);
  await api.settled(5);

  const names = (await readdir(outDir())).filter((name) => name.endsWith('.log'));
  expect(names.length).toBeGreaterThanOrEqual(2);
  const texts = await Promise.all(names.map((name) => readFile(path.join(outDir(), name), 'utf8')));
  expect(texts.join('').split('\n').filter(Boolean).sort()).toEqual(
    [1, 2, 3, 4, 5].map((value) => `"save [${value}] success"`),
  );
  for (const text of texts) expect(text.includes('[1]') && text.includes('[2]')).toBe(false);

  const view = await api.request(requestId);
  expect(view.counts).toEqual({ buffered: 0, in_batch: 0, saved: 5, rolled_back: 0 });
  const batchId = view.records[0]?.batchId ?? '';
  expect(names.some((name) => name.includes(batchId))).toBe(true);
  expect(await api.get(`/v1/batches/${batchId}`)).toMatchObject({
    batchId,
    state: 'completed',
    rolledBack: 0,
  });
  // Scheduling an activity and starting it is one transaction of the embedded server.
  const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).then((answer) => answer.text());
  expect(metrics).toMatch(/^temporal_activity_task_received\{activity_type="save",eager="true",/m);
});

test('A second start goes on where the first stopped: what was buffered is saved (G3, G4).', async () => {
  let api = await start();
  await api.post('/v1/pause', { by: 'test' });
  const { requestId } = await api.send(['kept', 1, 2]);
  expect(await system!.interrupt()).toBe(0);

  api = await start();
  const view = await api.request(requestId);
  expect(view.counts).toMatchObject({ buffered: 3 });
  await api.post('/v1/resume', { by: 'test' });
  await api.settled(3);
  expect((await api.request(requestId)).counts).toMatchObject({ saved: 3 });
});

test('kill -9 of everything in the middle of 400 records that conflict and fail: one outcome each (G1, G2, G4).', async () => {
  const env = {
    KEEPAPART_SAVE_FAILURE_RATE: '0.5',
    // In bulk all would be done before anything can be killed.
    KEEPAPART_SAVE_ACTIVITY: 'record',
    KEEPAPART_FLUSH_INTERVAL_MS: '200',
    KEEPAPART_OUTCOME_FORMAT: 'json',
  };
  let api = await start(env);
  const acknowledged: string[] = [];
  for (let list = 0; list < 8; list++) {
    const values = Array.from({ length: 50 }, (_, i) => [1, 2, `${list}-${i}`][i % 3]!);
    const { records } = await api.send(values);
    acknowledged.push(...records.map(({ recordId }) => recordId));
  }
  await waitFor('some batches to be done', async () => (await readBatchFiles(outDir())).size >= 30, {
    timeoutMs: 120_000,
  });
  await system!.killGroup();
  const before = (await readBatchFiles(outDir())).size;

  api = await start(env);
  await api.settled(400, 240_000);
  const files = await readBatchFiles(outDir());
  expect(files.size).toBeGreaterThan(before);
  const rules = [{ pair: [1, 2] as [number, number] }];
  expect(audit(files, acknowledged, { maxBatchSize: 5, rules })).toEqual({
    outcomes: 400,
    missing: [],
    doubled: [],
    unknown: [],
    overSize: [],
    conflicting: [],
  });
});
