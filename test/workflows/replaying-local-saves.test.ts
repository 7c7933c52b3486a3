import { batchIdOf } from '../../src/domain/batch';
import { HOUR } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { replayHistories } from '../../src/temporal/replay/replay-histories';
import { bundleOfToday } from '../helpers/builds';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/**
 * Local attempts that end one after another are told to the workflow one by one, with the clock going on between them;
 * to a worker that takes over, all at once. It has to come to the same commands in the same order (G3, G8).
 */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** Longer than any pause between attempts might be stretched by. */
const APART_MS = 30;

/** First attempts end one after another, in the order given. Those of the values named otherwise end at once. */
function endInTurn(values: readonly string[], end: (value: string, attempt: number) => void): void {
  let ended = 0;
  let lastMs = 0;
  pipeline.store.beforeSave = async ({ value }, attempt) => {
    const turn = values.indexOf(value as string);
    if (attempt === 1 && turn >= 0) {
      await waitFor(`turn ${turn}`, () => ended === turn && Date.now() > lastMs + APART_MS);
      lastMs = Date.now();
      ended++;
    }
    end(value as string, attempt);
  };
}

function noLuck(value: string, attempt: number): void {
  if (value.startsWith('never') || attempt === 1) throw new Error(`no luck in attempt ${attempt}`);
}

async function mismatchOfFirstChild(): Promise<string | undefined> {
  const workflowId = batchIdOf(pipeline.batcherWorkflowId, 1);
  const history = await pipeline.client.workflow.getHandle(workflowId).fetchHistory();
  for await (const { mismatch } of replayHistories(bundleOfToday(false), [{ workflowId, history }])) {
    return mismatch?.original;
  }
  throw new Error('nothing was replayed');
}

describe.each([
  { name: 'a record each', settings: { saveActivity: 'local', maxBatchSize: 4 } },
  {
    name: 'batches of one in a child',
    settings: { saveActivity: 'batch', maxBatchSize: 1, batchesPerChild: 4 },
  },
  {
    name: 'batches of two in a child, a record each',
    settings: { saveActivity: 'local', maxBatchSize: 2, batchesPerChild: 2 },
  },
] as const)('$name', ({ settings }) => {
  const start = async (maxAttempts: number): Promise<void> => {
    pipeline = await startPipeline({
      settings: { ...settings, maxAttempts, maxInFlight: 4, flushIntervalMs: HOUR, retryIntervalMs: 40 },
    });
  };

  test.each([
    { order: 'as they began', turns: ['a', 'b', 'c', 'd'] },
    { order: 'the last first', turns: ['d', 'c', 'b', 'a'] },
  ])('attempts that fail one after another, $order, replay', async ({ turns }) => {
    await start(2);
    endInTurn(turns, noLuck);
    await pipeline.send(['a', 'b', 'c', 'd']);
    await pipeline.quiet();
    expect(pipeline.store.outcomes().map(({ outcome, attempts }) => [outcome, attempts])).toEqual(
      turns.map(() => ['saved', 2]),
    );
    expect(await mismatchOfFirstChild()).toBeUndefined();
  });

  test('records given up and records tried again, one after another, replay', async () => {
    await start(3);
    endInTurn(['refused', 'b', 'c', 'refused too'], (value, attempt) => {
      if (value.startsWith('refused'))
        throw new KeepapartError('record-rejected', 'not a record for this store');
      noLuck(value, attempt);
    });
    await pipeline.send(['b', 'refused', 'refused too', 'c']);
    await pipeline.quiet();
    expect(pipeline.store.rollbacks).toHaveLength(2);
    expect(await mismatchOfFirstChild()).toBeUndefined();
  });
});
