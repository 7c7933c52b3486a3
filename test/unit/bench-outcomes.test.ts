import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchOutcomes } from '../../bench/contenders/outcomes';
import { cutBatches } from '../../bench/contenders/work/cut';
import {
  benchOutcome,
  benchRecord,
  expectedOutcome,
  fails,
  type BenchOutcome,
  type Work,
} from '../../bench/contenders/work/work';

const RECORDS = 40;
const APART: [number, number] = [1, 2];

let work: Work;
beforeEach(async () => {
  const outDir = await mkdtemp(path.join(tmpdir(), 'keepapart-bench-test-'));
  work = {
    outDir,
    stagingDir: outDir,
    maxBatchSize: 5,
    apart: APART,
    maxAttempts: 3,
    retryIntervalMs: 1000,
    failureRate: 0.5,
    server: '',
    kind: '',
  };
});
afterEach(() => rm(work.outDir, { recursive: true }));

/** The files of a run in which everything went as it had to. */
function goodFiles(): BenchOutcome[][] {
  const records = Array.from({ length: RECORDS }, (_, id) => benchRecord(id, 0.5, APART));
  return cutBatches(records, work).map((batch) =>
    batch.map((record) => {
      const { outcome, attempts } = expectedOutcome(record.id, work);
      return benchOutcome(record, { attempts, error: outcome === 'saved' ? undefined : 'failed' });
    }),
  );
}

async function judge(
  files: readonly (readonly BenchOutcome[])[],
): Promise<{ seen: number; problems: string[] }> {
  await Promise.all(
    files.map((lines, i) =>
      writeFile(
        path.join(work.outDir, `${i}.log`),
        lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      ),
    ),
  );
  const outcomes = watchOutcomes(work, { from: 0, to: RECORDS });
  return { seen: await outcomes.readAll(), problems: outcomes.problems() };
}

test('A run that did everything has no problems.', async () => {
  expect(await judge(goodFiles())).toEqual({ seen: RECORDS, problems: [] });
});

test('Waits for files that appear later, and returns false when some never do.', async () => {
  const files = goodFiles();
  const last = files.pop() ?? [];
  const { seen, problems } = await judge(files);
  expect(seen).toBe(RECORDS - last.length);
  expect(problems).toEqual([`${last.length} records without an outcome`]);
  const outcomes = watchOutcomes(work, { from: 0, to: RECORDS });
  expect(await outcomes.untilAll(300)).toBe(false);
  const waiting = outcomes.untilAll(10_000);
  await judge([...files, last]);
  expect(await waiting).toBe(true);
});

test('Files of the warm-up are not read.', async () => {
  await writeFile(path.join(work.outDir, 'torn.log'), '{"recordId":"r:0","va');
  const outcomes = watchOutcomes(work, { from: 0, to: RECORDS }, new Set(['torn.log']));
  expect(await outcomes.readAll()).toBe(0);
  expect(outcomes.problems()).toEqual([`${RECORDS} records without an outcome`]);
});

test('A lost record, a doubled one, a batch too large and one with a forbidden pair are each told.', async () => {
  const [first = [], second = [], ...rest] = goodFiles();
  const one = benchOutcome({ id: 1000, v: 1 }, { attempts: 1 });
  const two = benchOutcome({ id: 1001, v: 2 }, { attempts: 1 });
  const lost = first.slice(1);
  const { seen, problems } = await judge([
    lost,
    second,
    second,
    [one, two],
    [...(rest[0] ?? []), one],
    ...rest.slice(1),
  ]);
  expect(seen).toBe(RECORDS - 1);
  expect(problems).toEqual([
    '1 records without an outcome',
    `${second.length} records with several outcomes`,
    '1 files too large',
    '1 files with what is to be kept apart',
  ]);
});

test('A record that is saved although all its attempts had to fail is told, and so is a wrong count.', async () => {
  const files = goodFiles();
  const lines = files.flat();
  const rolledBack = lines.find(({ outcome }) => outcome === 'rolled_back');
  const retried = lines.find(({ outcome, attempts }) => outcome === 'saved' && attempts === 2);
  Object.assign(rolledBack!, { outcome: 'saved' });
  Object.assign(retried!, { attempts: 1 });
  expect((await judge(files)).problems).toEqual([
    '1 records that ended otherwise than they had to',
    '1 records with a wrong count of attempts',
  ]);
});

test('A torn file is told.', async () => {
  await writeFile(path.join(work.outDir, 'torn.log'), '{"recordId":"r:0","va');
  expect((await judge(goodFiles())).problems).toEqual(['1 torn files']);
});

test('About as many attempts fail as shall, and about as many records conflict.', () => {
  const ids = Array.from({ length: 10_000 }, (_, id) => id);
  for (const attempt of [1, 2, 3]) {
    const share = ids.filter((id) => fails(id, attempt, 0.2)).length / ids.length;
    expect(Math.abs(share - 0.2)).toBeLessThan(0.02);
  }
  const values = ids.map((id) => benchRecord(id, 0.2, APART).v);
  expect(values.filter((v) => v === 1)).toHaveLength(1000);
  expect(values.filter((v) => v === 2)).toHaveLength(1000);
});
