import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { HOUR, MINUTE } from '../../src/domain/duration';
import { batchFileName, jsonOutcomeLine } from '../../src/domain/records/outcome';
import { apiOf } from '../helpers/api';
import { runAuditCommand } from '../helpers/audit-command';
import { startS3, type S3Server } from '../helpers/s3-server';
import { settle } from '../helpers/settle-batch';
import { BATCH, record, rolledBack, saved } from '../helpers/store-folders';
import { s3Harness } from '../helpers/store-harness';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(300_000);

/* What the commands make of STORE=s3. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: S3Server;
const started: StartedCommand[] = [];
beforeAll(async () => void (server = await startS3()), 20 * MINUTE);
afterAll(() => server.remove());
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

const bucketEnv = (): Record<string, string> => ({
  ...server.env,
  KEEPAPART_STORE: 's3',
  KEEPAPART_S3_BUCKET: server.bucket,
  KEEPAPART_S3_ENDPOINT: server.endpoint,
});

/** Has a process find no AWS client, as where none is installed. */
function withoutAwsClient(): Record<string, string> {
  const hook = path.join(folder.path, 'without-aws.cjs');
  writeFileSync(
    hook,
    `const Module = require('node:module');
     const resolve = Module._resolveFilename;
     Module._resolveFilename = function (name, ...rest) {
       if (!name.startsWith('@aws-sdk/') && !name.startsWith('@smithy/')) return resolve.call(this, name, ...rest);
       throw Object.assign(new Error("Cannot find module '" + name + "'"), { code: 'MODULE_NOT_FOUND' });
     };`,
  );
  return { NODE_OPTIONS: `--require ${hook}` };
}

async function refusalOfWorker(env: Record<string, string>): Promise<string> {
  const command = startCommand(['worker'], {
    cwd: folder.path,
    env: { TEMPORAL_ADDRESS: testServer().address, ...env },
  });
  started.push(command);
  expect(await command.ended).not.toBe(0);
  return command.stderr();
}

test('A worker without a bucket, or whose bucket is not there, ends before it takes work, with one clear message.', async () => {
  const without = await refusalOfWorker({ KEEPAPART_STORE: 's3' });
  expect(without).toContain('S3_BUCKET with s3: the bucket to write batches to');
  expect(without).toMatch(/\[invalid-config\]$/m);
  const missing = await refusalOfWorker({ ...bucketEnv(), KEEPAPART_S3_BUCKET: 'nobody-made-it' });
  expect(missing).toContain(`S3 (s3://nobody-made-it/keepapart at ${server.endpoint}): NoSuchBucket`);
  expect(missing).toMatch(/\[store-unusable\]$/m);
  expect(missing).not.toContain(server.env['AWS_SECRET_ACCESS_KEY']);
});

test('Who has no AWS client is told to install it with STORE=s3, and does without it with any other store.', async () => {
  const env = withoutAwsClient();
  expect(await refusalOfWorker({ ...bucketEnv(), ...env })).toContain(
    'STORE=s3 needs the package @aws-sdk/client-s3, which is not installed: npm install @aws-sdk/client-s3',
  );
  const worker = await startSystem('worker', {
    cwd: folder.path,
    env: { TEMPORAL_ADDRESS: testServer().address, ...env },
  });
  started.push(worker);
  expect(await worker.interrupt()).toBe(0);
  const audit = await runAuditCommand([], {
    cwd: folder.path,
    env: { KEEPAPART_OUT_DIR: path.join(folder.path, 'data/out'), ...env },
  });
  expect(audit).toMatchObject({ code: 0, report: { s3: null } });
});

test('An audit holds what is closed in S3 against the files, byte by byte (G4, G10).', async () => {
  const harness = await s3Harness(server, { prefix: 'audited/', compression: 'gzip' });
  const store = await harness.worker();
  const batches = [1, 2, 3, 4].map((seq) => ({ ...BATCH, batchId: `batcher-0-0000000${seq}` }));
  for (const [index, batch] of batches.entries()) {
    const records = [saved(record(2 * index)), rolledBack(record(2 * index + 1))];
    await settle(store, { batch, records, format: index === 0 ? 'text' : 'json', together: true });
  }
  await harness.close();
  const settings = {
    KEEPAPART_OUT_DIR: harness.outDir,
    KEEPAPART_S3_PREFIX: 'audited',
    KEEPAPART_S3_COMPRESSION: 'gzip',
  };
  const audit = () => runAuditCommand([], { cwd: folder.path, env: { ...bucketEnv(), ...settings } });
  expect(await audit()).toMatchObject({
    code: 0,
    damage: {},
    report: { s3: { closed: 4, publishing: 0, unlistedFiles: 0 }, files: { outcomes: { total: 8 } } },
  });

  const fileOf = (index: number) => path.join(harness.outDir, batchFileName(batches[index]!));
  const keyOf = (index: number) =>
    `audited/batches/date=2026-01-31/${batchFileName(batches[index]!).replace(/\.log$/, '.jsonl.gz')}`;
  // The first file is lost, the second one may be about to come.
  rmSync(fileOf(0));
  server.age(keyOf(0), HOUR);
  rmSync(fileOf(1));
  writeFileSync(fileOf(2), '"save [4] failed, roll back"\n"save [5] failed, roll back"\n');
  await server.client.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: keyOf(3) }));
  expect(await audit()).toMatchObject({
    code: 1,
    damage: { notPublished: 1, publishedOtherwise: 1 },
    report: { s3: { closed: 3, publishing: 1, unlistedFiles: 1 } },
  });
});

test('An audit that can not read S3 is no clean one.', async () => {
  const command = startCommand(['audit'], {
    cwd: folder.path,
    env: { KEEPAPART_OUT_DIR: '.', ...bucketEnv(), KEEPAPART_S3_ENDPOINT: 'http://127.0.0.1:1' },
  });
  started.push(command);
  expect(await command.ended).toBe(1);
  expect(command.stderr()).toContain('S3 (s3://test-bucket/keepapart at http://127.0.0.1:1): ECONNREFUSED');
  expect(command.stderr()).toMatch(/\[store-unusable\]$/m);
});

test('An S3 server that is killed and started again in the middle has each record once, and none used up an attempt (G4).', async () => {
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: path.basename(folder.path),
    KEEPAPART_TASK_QUEUE: path.basename(folder.path),
    ...bucketEnv(),
    KEEPAPART_S3_PREFIX: 'killed/in-the/middle',
  };
  const system = await startSystem('serve', { cwd: folder.path, env });
  started.push(system);
  expect(system.stdout() + system.stderr()).toContain(
    `s3://test-bucket/killed/in-the/middle at ${server.endpoint}`,
  );
  const api = apiOf(system.apiUrl);
  const values = Array.from({ length: 100 }, (_, i) => i + 10);
  await api.send(values.slice(0, 50));
  await waitFor('some records to be saved', async () => (await api.status()).total.counters.saved > 0);
  await server.kill();
  await api.send(values.slice(50));
  await waitFor('the store to be away', () =>
    Promise.resolve(/the store is away/.test(system.stdout() + system.stderr())),
  );
  await server.start();
  const { counters } = await api.settled(100);
  expect(counters).toMatchObject({ saved: 100, rolledBack: 0 });

  const keys = await server.keys('killed/in-the/middle/batches/');
  const contents = await Promise.all(
    keys.map(async (Key) => {
      const { Body } = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    }),
  );
  const lines = contents.flatMap((content) => content.trim().split('\n').map(jsonOutcomeLine));
  expect(lines.map((line) => line?.value).sort()).toEqual([...values].sort());
  expect(lines.every((line) => line?.outcome === 'saved' && line.attempts === 1)).toBe(true);
  // What couldn't be cleared while the server was down belongs to closed batches, and is swept at the next start.
  const left = await server.keys('killed/in-the/middle/staging/');
  const isClosed = (key: string) => keys.some((closed) => closed.includes(`/${key.split('/').at(-2)!}.`));
  expect(left.filter((key) => !isClosed(key))).toEqual([]);

  const audit = await runAuditCommand([], { cwd: folder.path, env });
  expect(audit).toMatchObject({ code: 0, report: { s3: { closed: keys.length, unlistedFiles: 0 } } });
  expect(await system.interrupt()).toBe(0);
});
