import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AcceptedRequest, BatcherQuestion, TakeAnswer } from '../../src/contracts/workflow/batcher';
import { shardOf } from '../../src/contracts/workflow/ids';
import type { Layout } from '../../src/domain/windows/layout';
import type { JsonValue } from '../../src/domain/json';
import type { MessageOrigin } from '../../src/domain/windows/sender-window';
import type { BatcherCalls } from '../../src/temporal/shard/batcher-calls';
import { keyRefOf } from '../../src/temporal/shard/digests';
import { KeyedRequests } from '../../src/temporal/shard/keyed-requests';
import { Shard } from '../../src/temporal/shard/shard';
import { Shards } from '../../src/temporal/shard/shards';
import { TEST_SETTINGS } from '../helpers/test-settings';
import { waitFor } from '../helpers/wait-for';

const LIMITS = { maxBufferedRecords: 1000, maxBufferedBytes: 100_000 };

/** The shards of an installation of two, of which batchers with these ids are open. */
function shardsWith(...open: string[]): Shards {
  // eslint-disable-next-line @typescript-eslint/require-await -- as the SDK gives it
  async function* list() {
    for (const workflowId of open) yield { workflowId };
  }
  const withDeadline = (_: unknown, call: () => unknown) => call();
  const client = { workflow: { list }, withDeadline } as unknown as Client;
  return new Shards(client, { batcherId: 'b', shards: 2, taskQueue: 'q', settings: TEST_SETTINGS }, LIMITS);
}

describe('the shards of an installation', () => {
  test.each([-1, 1.5, NaN, Infinity, '0' as never, undefined as never])(
    'G3: have none with the number %p: that is an error, and nothing is sent.',
    (number) => {
      expect(() => shardsWith().at(number)).toThrow(RangeError);
    },
  );

  test('are one object for each number, as they keep counts.', () => {
    const shards = shardsWith();
    expect(shards.at(1)).toBe(shards.at(1));
    expect(shards.configured().map(({ batcher }) => batcher)).toEqual(['b-0', 'b-1']);
    expect(shards.of('some request')).toBe(shards.at(shardOf('some request', 2)));
  });

  test('are all that are configured and all others of which a batcher is open, by number; those of others are not among them.', async () => {
    const all = await shardsWith('b-10', 'b-1', 'b-3', 'other-4', 'b-x', 'b-1-5', 'bb-6').all();
    expect(all.map(({ shard }) => shard)).toEqual([0, 1, 3, 10]);
  });
});

/** A batcher that remembers the first body of each key and counts what it is called with; it can be held up and away. */
function fakeShard() {
  const bodies = new Map<string, string>();
  const batcher = {
    away: false,
    signals: [] as { requests: AcceptedRequest[]; origin: MessageOrigin }[],
    updates: [] as { requests: AcceptedRequest[]; origin: MessageOrigin; id: string | undefined }[],
    release: (): void => undefined,
    held: undefined as Promise<void> | undefined,
    hold() {
      batcher.held = new Promise((resolve) => (batcher.release = resolve));
    },
  };
  const calls = {
    workflowId: 'b-0',
    ask: ({ about }: BatcherQuestion) => Promise.resolve(about === 'keys' ? [null, 'body'] : undefined),
    run: () => Promise.resolve({ runId: 'run', historyLength: 3, historySize: 0 }),
    async signal(_: unknown, [requests, origin]: [AcceptedRequest[], MessageOrigin]) {
      batcher.signals.push({ requests, origin });
      await batcher.held;
      if (batcher.away) throw new Error('no reply');
      return 'run';
    },
    async update(_: unknown, [told, origin]: [Layout | AcceptedRequest[], MessageOrigin], id?: string) {
      if (!Array.isArray(told)) return told;
      const requests = told;
      batcher.updates.push({ requests, origin, id });
      await batcher.held;
      if (batcher.away) throw new Error('no worker');
      return requests.map(({ digest }): TakeAnswer => {
        if (digest === undefined) return {};
        if (!bodies.has(digest.key)) bodies.set(digest.key, digest.body);
        return { body: bodies.get(digest.key)! };
      });
    },
  };
  const shard = new Shard(0, calls as unknown as BatcherCalls, TEST_SETTINGS, LIMITS);
  const keyed = new KeyedRequests(
    () => shard,
    1,
    () => Promise.resolve([shard]),
  );
  const send = (requestId: string, values: JsonValue[]) => keyed.addRecords({ requestId, values });
  return { batcher, calls, shard, send };
}

const idsOf = (messages: { requests: AcceptedRequest[] }[]) =>
  messages.map(({ requests }) => requests.map(({ requestId }) => requestId));

describe('lists under a key', () => {
  test('G5: the same again is fine, and another under the same key is refused.', async () => {
    const { send } = fakeShard();
    await send('a', [1]);
    await send('a', [1]);
    await expect(send('a', [2])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  });

  test('that wait share one message at a time, and each gets its own answer.', async () => {
    const { batcher, send } = fakeShard();
    batcher.hold();
    const first = send('a', [0]);
    await waitFor('the first message', () => batcher.updates.length === 1);
    const others = ['b', 'c'].map((key) => send(key, [1]));
    const refused = expect(send('a', [9])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    batcher.release();
    await Promise.all([first, ...others, refused]);
    expect(idsOf(batcher.updates)).toEqual([['a'], ['b', 'c', 'a']]);
  });

  test('fail together with their message, and the next message is another one.', async () => {
    const { batcher, send } = fakeShard();
    batcher.away = true;
    const results = await Promise.allSettled([send('a', [1]), send('b', [2])]);
    expect(results).toMatchObject([
      { reason: { message: 'no worker' } },
      { reason: { message: 'no worker' } },
    ]);
    batcher.away = false;
    await send('a', [1]);
    const [before, after] = batcher.updates;
    expect(after!.origin).toEqual({ sender: before!.origin.sender, number: before!.origin.number + 1 });
    expect(after!.id).not.toBe(before!.id);
  });

  test('are taken where the batcher has no room to remember keys.', async () => {
    const { calls, send } = fakeShard();
    await send('first', [0]);
    jest.spyOn(calls, 'update').mockResolvedValue([{ body: null }]);
    await expect(send('a', [1])).resolves.toBeUndefined();
  });
});

test('G3: a list without a key needs no worker: it goes by a signal, which has a number among those of its sender.', async () => {
  const { batcher, shard } = fakeShard();
  await shard.addRecords({ requestId: 'a', values: [1] });
  await shard.addRecords({ requestId: 'b', values: [2] });
  expect(batcher.updates).toEqual([]);
  expect(batcher.signals.map(({ origin }) => origin.number)).toEqual([1, 2]);
  expect(new Set(batcher.signals.map(({ origin }) => origin.sender)).size).toBe(1);
  expect(batcher.signals[0]!.requests).toEqual([{ requestId: 'a', values: [1] }]);
});

test('G3: a list without a key whose signal has no reply has failed, as nobody knows whether it was taken.', async () => {
  const { batcher, shard } = fakeShard();
  batcher.away = true;
  await expect(shard.addRecords({ requestId: 'a', values: [1] })).rejects.toThrow('no reply');
});

test('Lists with and without a key, and redrives, are numbered by senders of their own: none waits for another kind.', async () => {
  const { batcher, shard, send } = fakeShard();
  batcher.hold();
  const all = [
    shard.addRecords({ requestId: 'a', values: [1] }),
    send('b', [2]),
    shard.redrive([{ requestId: 'c', values: [3] }], { by: 'Ann', atMs: 0 }),
  ];
  await waitFor('all three', () => batcher.signals.length + batcher.updates.length === 3);
  batcher.release();
  await Promise.all(all);
  const origins = [...batcher.signals, ...batcher.updates].map(({ origin }) => origin.sender);
  expect(new Set(origins).size).toBe(3);
});

test('Of several keys, those are known under which the batcher has a body.', async () => {
  const { shard } = fakeShard();
  expect(await shard.known(['a', 'b'])).toEqual(['b']);
  expect(keyRefOf('a').key).not.toBe(keyRefOf('b').key);
});

test('Where no batcher is open, a shard is empty, and nothing is known of any request.', async () => {
  const { shard } = fakeShard();
  expect(await shard.status()).toMatchObject({
    bufferedRecords: 0,
    inFlight: 0,
    paused: null,
    settings: TEST_SETTINGS,
  });
  expect(await shard.trace('a')).toEqual({
    size: null,
    bufferedIndexes: [],
    inFlightChildIds: [],
    pageIds: [],
  });
  expect(await shard.streamProgress('a')).toBeNull();
});

test('A refusal of limits that is none of ours goes on as it is.', async () => {
  const { calls, shard } = fakeShard();
  jest.spyOn(calls, 'update').mockRejectedValue(ApplicationFailure.create({ type: 'other', message: 'oh' }));
  await expect(shard.changeLimits({}, { by: 'Ann', atMs: 0 })).rejects.toThrow('oh');
});
