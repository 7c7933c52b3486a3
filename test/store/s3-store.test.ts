import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { HOUR, MINUTE } from '../../src/domain/duration';
import { outcomeFileContent } from '../../src/domain/records/outcome';
import { ANSWER_LOST, interceptS3, type S3Call } from '../helpers/intercept-s3';
import { startS3, type S3Server } from '../helpers/s3-server';
import { settle } from '../helpers/settle-batch';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';
import { s3Harness, type S3Harness } from '../helpers/store-harness';

/* What a batch is in S3, what it costs, and what comes of requests whose answer is lost. */
let server: S3Server;
beforeAll(async () => void (server = await startS3()), 20 * MINUTE);
afterAll(() => server.remove());

let harness: S3Harness;
let restore = (): void => undefined;
afterEach(async () => {
  restore();
  restore = () => undefined;
  await harness.close();
});

const RECORDS = [saved(record(1, { name: 'first €' })), rolledBack(record(2)), saved(record(3))];
const SETTLEMENT = { batch: BATCH, records: RECORDS, format: 'text' as const, together: true };
const KEY = 'batches/date=2026-01-31/test_log_202601312359_batcher-0-00000001.jsonl';

async function contentOf(key: string): Promise<Buffer> {
  const { Body } = await server.client.send(
    new GetObjectCommand({ Bucket: server.bucket, Key: harness.opening.prefix + key }),
  );
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

const keys = async (): Promise<string[]> =>
  (await server.keys(harness.opening.prefix)).map((key) => key.slice(harness.opening.prefix.length));

/** What is asked of S3 from now on, without the prefix. */
function requests(): string[] {
  const seen: string[] = [];
  restore = interceptS3(
    ({ name, key }) => void seen.push(`${name.replace(/(Object|ObjectsV2)?Command/, '')} ${key}`),
  );
  return seen;
}

const failureOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);

test('A closed batch is one object with a line for each record, as in a batch file of the format json, and OUT_DIR has its file.', async () => {
  harness = await s3Harness(server);
  await settle(await harness.worker(), SETTLEMENT);
  expect(await keys()).toEqual([KEY, 'keepapart.json']);
  expect((await contentOf(KEY)).toString()).toBe(outcomeFileContent(RECORDS, 'json'));
  expect(readFileSync(join(harness.outDir, BATCH_FILE), 'utf8')).toBe(outcomeFileContent(RECORDS, 'text'));
});

test('A compressed batch is the same, compressed, and is read as any other.', async () => {
  harness = await s3Harness(server, { compression: 'gzip' });
  const store = await harness.worker();
  await settle(store, SETTLEMENT);
  expect(await keys()).toEqual([`${KEY}.gz`, 'keepapart.json']);
  expect(gunzipSync(await contentOf(`${KEY}.gz`)).toString()).toBe(outcomeFileContent(RECORDS, 'json'));
  const read = await store.readBatch({ ...BATCH, records: RECORDS });
  expect(read?.records).toEqual(RECORDS);
  await store.closeBatch(BATCH, RECORDS, 'text');
  await expect(
    store.closeBatch(
      BATCH,
      RECORDS.map((one) => rolledBack(one)),
      'text',
    ),
  ).rejects.toMatchObject({
    code: 'batch-file-conflict',
  });
});

test('A batch that is saved by one call and closed is five requests.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  const seen = requests();
  await store.saveAll?.([{ batch: BATCH, records: RECORDS }]);
  await store.closeBatch(BATCH, RECORDS.map(saved), 'text');
  const { prefix } = harness.opening;
  const staging = `${prefix}staging/test_log_202601312359_batcher-0-00000001/`;
  expect(seen).toEqual([
    expect.stringMatching(`^Put ${staging}[\\w-]{36}$`),
    `Head ${prefix}${KEY}`,
    `List ${staging}`,
    `Put ${prefix}${KEY}`,
    seen[0]?.replace('Put', 'Delete'),
  ]);
});

test('What is staged can be read: the records, a line for each.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  const many = Array.from({ length: 25 }, (_, i) => record(i, `value ${i}`));
  await store.saveAll?.([{ batch: BATCH, records: many }]);
  const staged = (await keys()).filter((key) => key.startsWith('staging/'));
  expect(staged).toHaveLength(2);
  const contents = await Promise.all(staged.map(async (key) => (await contentOf(key)).toString()));
  const lines = contents.join('').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expect.arrayContaining(many));
  await store.closeBatch(BATCH, many.map(saved), 'json');
  expect(await harness.leftovers()).toEqual([]);
});

test('Of records that were saved together one is rolled back, and the others stay saved.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  await store.saveAll?.([{ batch: BATCH, records: RECORDS }]);
  await store.rollback(record(1), BATCH);
  expect(await failureOf(store.closeBatch(BATCH, RECORDS.map(saved), 'json'))).toMatchObject({
    code: 'staged-record-missing',
    message: expect.stringContaining('request:1 reported'),
  });
  const outcomes = RECORDS.map((one, i) => (i === 0 ? rolledBack(one) : saved(one)));
  await store.closeBatch(BATCH, outcomes, 'json');
  expect(await harness.leftovers()).toEqual([]);
});

test('G4: a closing whose answer is lost is found done by the next attempt, and by nobody else with other outcomes.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  await store.saveAll?.([{ batch: BATCH, records: RECORDS }]);
  restore = interceptS3(({ input }) => (input['IfNoneMatch'] === undefined ? undefined : ANSWER_LOST));
  expect(await failureOf(store.closeBatch(BATCH, RECORDS, 'json'))).toMatchObject({ code: 'store-away' });
  restore();
  expect(
    await failureOf(
      store.closeBatch(
        BATCH,
        RECORDS.map((one) => rolledBack(one)),
        'json',
      ),
    ),
  ).toMatchObject({
    code: 'batch-file-conflict',
  });
  await store.closeBatch(BATCH, RECORDS, 'json');
  expect(await keys()).toEqual([KEY, 'keepapart.json']);
});

test('A conditional write that meets another one in the middle (409) is made again.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  let conflicts = 0;
  restore = interceptS3(({ input }: S3Call) => {
    if (input['IfNoneMatch'] !== undefined && ++conflicts < 3)
      throw Object.assign(new Error('on purpose'), {
        name: 'ConditionalRequestConflict',
        $metadata: { httpStatusCode: 409 },
      });
  });
  await store.saveAll?.([{ batch: BATCH, records: RECORDS }]);
  await store.closeBatch(BATCH, RECORDS, 'json');
  expect(conflicts).toBe(3);
  expect(await keys()).toContain(KEY);
});

test('A sweep removes what is staged for closed batches, when it is an hour old, and nothing of open ones.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  const open = { ...BATCH, batchId: 'batcher-0-00000002' };
  await store.closeBatch(BATCH, [rolledBack(record(1))], 'json');
  // The late save that looks for the object at this moment is killed before it can take back what it has staged.
  restore = interceptS3(({ name }) => {
    if (name === 'HeadObjectCommand') throw new Error('killed');
  });
  expect(await failureOf(store.save(record(1), BATCH))).toMatchObject({ code: 'save-failed' });
  restore();
  await store.save(record(2), open);
  expect(await store.sweep()).toBe(0);
  expect(await store.sweep(Date.now() + 2 * HOUR)).toBe(1);
  expect(await harness.leftovers()).toEqual([expect.stringContaining('batcher-0-00000002')]);
  await store.closeBatch(open, [saved(record(2))], 'json');
});

test('A rollback in whose middle its batch is closed leaves nothing staged.', async () => {
  harness = await s3Harness(server);
  const [store, other] = [await harness.worker(), await harness.worker()];
  await store.saveAll?.([{ batch: BATCH, records: RECORDS }]);
  restore = interceptS3(async ({ name, key }) => {
    if (name !== 'PutObjectCommand' || !key.includes('staging/')) return;
    restore();
    await other.closeBatch(BATCH, RECORDS, 'json');
  });
  await store.rollback(record(2), BATCH);
  expect(await keys()).toEqual([KEY, 'keepapart.json']);
});
