import path from 'node:path';
import type { WorkflowBundleOption } from '@temporalio/worker';
import type { JsonValue } from '../../src/domain/json';
import { STANDING, watchVersion, type Standing } from '../../src/temporal/worker/first-version';
import { promote, readVersions } from '../../src/temporal/worker/versions';
import { bundleOf, startBuild, type BuildOptions, type TestBuild } from '../helpers/builds';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** Builds side by side on a real server, as docs/UPGRADES.md describes. */
let changed: WorkflowBundleOption;
beforeAll(async () => {
  changed = await bundleOf(path.join(__dirname, 'changed-build.ts'));
});

let pipeline: TestPipeline;
let builds: TestBuild[];
/** Every record that was acknowledged. */
let acknowledged: string[];
/** Lets every held save go, so that workers can stop whatever became of the test. */
let releaseAll: (() => void)[];

beforeEach(async () => {
  builds = [];
  acknowledged = [];
  releaseAll = [];
  // Continues as new every few requests, as a batcher does that lives long enough.
  const limits = { historyEvents: 4000, historyBytes: 1_000_000, messages: 3 };
  pipeline = await startPipeline({ worker: 'none', limits });
});
afterEach(async () => {
  for (const release of releaseAll) release();
  await Promise.all(builds.map((build) => build.stop()));
  await pipeline.close();
});

async function start(options: BuildOptions = {}): Promise<TestBuild> {
  const build = await startBuild(pipeline, options);
  builds.push(build);
  return build;
}

async function send(...values: JsonValue[]): Promise<void> {
  const [requestId = ''] = await pipeline.send(values);
  acknowledged.push(...values.map((_, index) => `${requestId}:${index}`));
}

async function sendAndWait(...values: JsonValue[]): Promise<void> {
  await send(...values);
  await waitFor(`${JSON.stringify(values)} to be saved`, () =>
    values.every((value) => savedValues(pipeline.store).includes(value)),
  );
}

/** A record whose save waits until `release` is called. */
function hold(value: JsonValue): () => void {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  releaseAll.push(release);
  pipeline.store.beforeSave = (record) => (record.value === value ? held : undefined);
  return release;
}

function at() {
  return { deployment: pipeline.address.batcherId, taskQueue: pipeline.address.taskQueue };
}

async function version(buildId: string | null) {
  const { versions } = await readVersions(pipeline.client, at());
  return versions.find((known) => known.buildId === buildId);
}

/** Whether the batcher's run carries the mark of the change. */
async function isPatched(): Promise<boolean> {
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  return (events ?? []).some((event) => event.markerRecordedEventAttributes?.markerName === 'core_patch');
}

/** Temporal refuses until it has seen the build's worker on both of its task queues. */
async function promoteWhenSeen(buildId: string): Promise<void> {
  await waitFor(`build ${buildId} to be promoted`, async () => {
    await promote(pipeline.client, at().deployment, { buildId });
    return true;
  });
}

/** Sends record after record until the batcher carries the mark of the change. */
async function sendUntilPatched(prefix: string): Promise<void> {
  let sent = 0;
  await waitFor('the changed code to have left its mark on the batcher', async () => {
    await sendAndWait(`${prefix} ${sent++}`);
    return isPatched();
  });
}

/** What the first worker of a build finds; resolves with all that it was told. */
async function watch(buildId: string): Promise<Standing[]> {
  const told: Standing[] = [];
  const signal = new AbortController();
  await watchVersion(
    pipeline.client,
    { ...at(), buildId },
    (standing) => {
      told.push(standing);
      if (standing.standing === STANDING.waiting) signal.abort(new Error('waits'));
    },
    signal.signal,
  ).catch((error: unknown) => expect(error).toHaveProperty('name', 'AbortError'));
  return told;
}

async function buildOf(workflowId: string) {
  const { raw } = await pipeline.client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
}

async function expectOneOutcomeEach(): Promise<void> {
  const { counters } = await pipeline.quiet();
  const outcomes = pipeline.store.outcomes().map(({ recordId }) => recordId);
  expect(outcomes.sort()).toEqual([...acknowledged].sort());
  expect(counters).toMatchObject({ saved: acknowledged.length, rolledBack: 0, batchesFailed: 0 });
}

test('A second build takes over batchers and new batches, the first finishes its own and is drained (G4).', async () => {
  const release = hold('held');
  const a = await start({ buildId: 'a' });
  expect(await watch('a')).toEqual([{ standing: STANDING.madeCurrent, current: 'a' }]);
  await send('held', 'beside it');
  await waitFor('the held record to be saving', () => a.began.includes('held'));
  const heldBatch = pipeline.store.saves[0]?.batchId ?? '';

  const b = await start({ buildId: 'b', workflowBundle: changed });
  await waitFor('build b to be seen', () => version('b'));
  expect(await watch('b')).toEqual([{ standing: STANDING.waiting, current: 'a' }]);
  await sendAndWait('before');
  expect(a.began).toContain('before');

  await promoteWhenSeen('b');
  await sendUntilPatched('after');
  expect(b.began).toContain('after 0');
  expect(a.began).not.toContain('after 0');
  expect(await buildOf(pipeline.batcherWorkflowId)).toBe('b');
  expect(await buildOf(heldBatch)).toBe('a');
  expect(await version('b')).toMatchObject({ state: 'current', percent: 100, workers: 1 });
  expect(await version('a')).toMatchObject({ state: 'draining', percent: null, openBatches: 1, workers: 1 });

  release();
  await waitFor('build a to be drained', async () => (await version('a'))?.state === 'drained');
  expect(await buildOf(heldBatch)).toBe('a');
  expect(b.began).not.toContain('held');
  await a.stop();
  await sendAndWait('without a');
  await expectOneOutcomeEach();
});

test('A rollback to a build that does not know a patch stops the batcher, and rolling forward loses nothing (G4, G8).', async () => {
  const a = await start({ buildId: 'a' });
  await watch('a');
  await sendAndWait('on a');
  await start({ buildId: 'b', workflowBundle: changed });
  await promoteWhenSeen('b');
  await sendUntilPatched('on b');

  await promote(pipeline.client, at().deployment, { buildId: 'a' });
  await send('stuck');
  await waitFor('the old code to fail on the batcher', async () => {
    const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
    const failed = events?.at(-1)?.workflowTaskFailedEventAttributes;
    return failed?.failure?.message?.includes('TMPRL1100');
  });
  expect(a.began).not.toContain('stuck');

  await promote(pipeline.client, at().deployment, { buildId: 'b' });
  await sendAndWait('on b again');
  await expectOneOutcomeEach();
});

test('An installation without builds moves to builds and back, with a batch open each time (G4).', async () => {
  const release = hold('held');
  const plain = await start();
  await send('held');
  await waitFor('the held record to be saving', () => plain.began.includes('held'));

  const a = await start({ buildId: 'a' });
  // It must not take over by itself: others are at work.
  expect(await watch('a')).toEqual([{ standing: STANDING.waiting, current: null }]);
  await promoteWhenSeen('a');
  await sendAndWait('on a');
  expect(a.began).toContain('on a');
  release();
  await waitFor('the held record to be saved', () => savedValues(pipeline.store).includes('held'));

  const releaseOnA = hold('held on a');
  await send('held on a');
  await waitFor('another held record to be saving', () => a.began.includes('held on a'));
  await promote(pipeline.client, at().deployment, { buildId: null });
  await sendAndWait('without a build');
  expect(plain.began).toContain('without a build');
  expect(await version('a')).toMatchObject({ openBatches: 1 });
  releaseOnA();
  await expectOneOutcomeEach();
});
