import path from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { bundleForReplay } from '../../src/temporal/replay/replay-histories';
import { CASE_NAMES, shortcomings, versionOf } from './cases';
import { currentVersion, readCorpus } from './corpus';
import { replay } from './replay';
import { tellHistory } from './tell-history';
import { tasksWithoutEvent } from './tasks-without-event';

/** The sources, not the build: a bundle of yesterday would replay whatever was changed today. */
const TODAY = path.resolve(__dirname, '../../workflows');

const corpus = readCorpus();

beforeAll(() => {
  // A mismatch is an expected result here, not a warning of the SDK's.
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
  });
});

test('the corpus holds every case of this version: if not, `npm run record-histories` (G8)', () => {
  const files = new Set(corpus.map(({ file }) => file));
  const wanted = CASE_NAMES.map((name) => `${versionOf(name, currentVersion())}-${name}.json`);
  expect(wanted.filter((file) => !files.has(file))).toEqual([]);
});

test.each(corpus)('$file is of a known case and shows it', ({ caseName, history }) => {
  const name = CASE_NAMES.find((known) => known === caseName);
  expect(name).toBeDefined();
  expect(shortcomings(name!, tellHistory(history))).toEqual([]);
});

test('no committed history names a machine', () => {
  expect(corpus.length).toBeGreaterThan(0);
  const tracesOf = (text: string) => {
    const payloads = [...text.matchAll(/"data":"([^"]+)"/g)].map(([, data]) =>
      Buffer.from(data!, 'base64').toString(),
    );
    return [text, ...payloads].join('\n').match(/\d+@[\w-]+|file:\/\/|\/home\/\w+|\.[jt]s:\d+/g);
  };
  expect(corpus.filter(({ text }) => tracesOf(text) !== null).map(({ file }) => file)).toEqual([]);
});

test("today's code replays every committed history, to the same batches (G4, G8)", async () => {
  expect(await replay(await bundleForReplay(TODAY), corpus)).toEqual({});
});

test('every task of a batcher that brought anything has an event of its own, so that no replay takes it for one with the next (G4, G8)', () => {
  const batchers = corpus.filter(({ caseName }) => caseName.startsWith('batcher-'));
  expect(
    batchers.flatMap(({ caseName, text }) => tasksWithoutEvent(text).map((id) => `${caseName} ${id}`)),
  ).toEqual([]);
});

test('a change of what a workflow does, or in which order, is caught by every history (G8)', async () => {
  const caught = expect.stringMatching(/^DeterminismViolationError: .*nondeterminism/i);
  expect(await replay(await bundleForReplay(changed('reordered')), corpus)).toEqual(
    Object.fromEntries(corpus.map(({ file }) => [file, caught])),
  );
});

test('a change of which records share a batch is caught, though Temporal does not see it (G4, G8)', async () => {
  const mismatches = await replay(await bundleForReplay(changed('other-batches')), corpus);
  expect(mismatches).toHaveProperty(
    [`${versionOf('batcher-size-and-age', currentVersion())}-batcher-size-and-age.json`],
    expect.stringMatching(/^OtherBatches: /),
  );
});

test('the same change behind `patched` leaves every committed history replayable (G8)', async () => {
  expect(await replay(await bundleForReplay(changed('patched')), corpus)).toEqual({});
});

function changed(name: string): string {
  return path.join(__dirname, 'changed', `${name}.ts`);
}
