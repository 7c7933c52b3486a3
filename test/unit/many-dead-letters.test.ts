import type { BatchSummary } from '../../src/contracts/api/answers/batches';
import type { PageOptions } from '../../src/temporal/children/batch-pages';
import type { BatchReader } from '../../src/temporal/children/batch-reader';
import { createDeadLetterReader, type FoundLetter } from '../../src/temporal/dead-letters/dead-letters';
import type { KnownRedrives } from '../../src/temporal/dead-letters/known-redrives';
import { redrive } from '../../src/temporal/dead-letters/redrive';
import type { Shards } from '../../src/temporal/shard/shards';
import { KIB } from '../../src/domain/duration';
import { jsonBytes } from '../../src/domain/json';

/* Dead letters by the hundred: in batches of one record each, which are listed page by page. */
const BATCHES = 250;

const recordIdOf = (batch: number) => `r${batch}:0`;
const valueOf = (bytes: number) => 'x'.repeat(bytes - 2);

/** What Temporal has, and what was sent again. */
function deployment(bytes: number) {
  const summaries = Array.from({ length: BATCHES }, (_, i): BatchSummary => ({
    batchId: `own-0-${i}`,
    batcher: 'own-0',
    state: 'completed',
    flushReason: 'size',
    requestIds: [`r${i}`],
    startedAt: '',
    closedAt: '',
    saved: 0,
    rolledBack: 1,
    retries: 0,
    runId: `run ${i}`,
  }));
  const list = (_conditions: readonly string[], { limit, cursor = '0' }: PageOptions) => {
    const end = Number(cursor) + limit;
    return Promise.resolve({
      batches: summaries.slice(Number(cursor), end),
      nextCursor: end < BATCHES ? String(end) : null,
    });
  };
  const numberOf = ({ batchId }: { batchId: string }) => Number(batchId.split('-').at(-1));
  const batches = {
    result: (run: BatchSummary) =>
      Promise.resolve({
        location: 'file',
        outcomes: [{ recordId: recordIdOf(numberOf(run)), outcome: 'rolled_back', attempts: 1, atMs: 0 }],
      }),
    input: (run: BatchSummary) =>
      Promise.resolve({
        batch: { records: [{ recordId: recordIdOf(numberOf(run)), value: valueOf(bytes) }] },
      }),
  } as unknown as BatchReader;
  const letters = createDeadLetterReader(list, () => true, batches);
  const messages: { requestId: string; values: unknown[] }[][] = [];
  const shard = {
    redrive(requests: { requestId: string; values: unknown[] }[]) {
      messages.push(requests);
      return Promise.resolve();
    },
  };
  const shards = { keyed: { homeOf: () => Promise.resolve(shard) } } as unknown as Shards;
  const none = () => Promise.resolve(new Set<string>());
  const known = { among: none, buffered: none } as unknown as KnownRedrives;
  return { letters, messages, parts: { letters, known, shards } };
}

const ALL = Array.from({ length: BATCHES }, (_, i) => recordIdOf(i));
const action = { by: 'test', atMs: 0 };
const idsOf = (found: readonly Pick<FoundLetter, 'recordId'>[]) => found.map(({ recordId }) => recordId);

test('All dead letters are sent again, also beyond the first page of batches.', async () => {
  const { parts, messages } = deployment(10);
  const { redriven } = await redrive(parts, { all: true }, action);
  expect(idsOf(redriven)).toEqual(ALL);
  expect(messages.flat()).toHaveLength(BATCHES);
  for (const message of messages) expect(message.length).toBeLessThanOrEqual(100);
});

test('Records that are named are found, also beyond the first page of batches.', async () => {
  const { parts } = deployment(10);
  const names = [recordIdOf(0), recordIdOf(130), recordIdOf(BATCHES - 1)];
  const { redriven, notFound } = await redrive(parts, { records: names }, action);
  expect([idsOf(redriven), notFound]).toEqual([names, []]);
});

test('Large dead letters are sent again in as many messages as their bytes need (G6).', async () => {
  const { parts, messages } = deployment(60 * KIB);
  const { redriven } = await redrive(parts, { all: true }, action);
  expect(idsOf(redriven)).toEqual(ALL);
  for (const message of messages)
    expect(message.reduce((sum, { values }) => sum + jsonBytes(values as string[]), 0)).toBeLessThanOrEqual(
      256 * KIB,
    );
});
