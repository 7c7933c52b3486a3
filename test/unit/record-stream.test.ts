import { setImmediate as turn } from 'node:timers/promises';
import type { AcceptedRequest } from '../../src/contracts/workflow/batcher';
import type { JsonValue } from '../../src/domain/json';
import type { StreamProgress } from '../../src/domain/windows/stream-window';
import { keyRefOf } from '../../src/temporal/shard/digests';
import { openRecordStream, type StreamChannel } from '../../src/temporal/shard/record-stream';

// A part that isn't full goes after 200 ms, which pass in the middle of anything on a busy machine.
beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** Streams over a batcher that takes a part only where the one before it ended, and that the test can hold up. */
function fakeBatcher() {
  const streams = new Map<string, StreamProgress>();
  const batcher = {
    taken: [] as JsonValue[],
    /** Number of the part, from 1, whose sending fails. */
    failAt: Infinity,
    parts: 0,
    release: (): void => undefined,
    held: undefined as Promise<void> | undefined,
    hold() {
      batcher.held = new Promise((resolve) => (batcher.release = resolve));
    },
  };
  function take({ values, offset = 0, part }: AcceptedRequest): StreamProgress | null {
    if (part === undefined) {
      batcher.taken.push(...values);
      return null;
    }
    const { key, before, after, complete } = part;
    const known = streams.get(key) ?? { taken: 0, digest: '', complete: false };
    if (!known.complete && known.taken === offset && known.digest === before) {
      batcher.taken.push(...values);
      streams.set(key, { taken: offset + values.length, digest: after, complete });
    }
    return streams.get(key) ?? null;
  }
  const channelOf = (key?: string): StreamChannel => ({
    async send(request) {
      await batcher.held;
      if (++batcher.parts >= batcher.failAt) throw new Error('no reply');
      return take(request);
    },
    progress: () => Promise.resolve(streams.get(key === undefined ? '' : keyRefOf(key).key) ?? null),
  });
  const open = (records: number, key?: string) =>
    openRecordStream(
      channelOf(key),
      { records, bytes: 1000 },
      key ?? 'r',
      key === undefined ? undefined : keyRefOf(key),
    );
  return { batcher, open };
}

const numbers = (length: number) => Array.from({ length }, (_, i) => i);
type Stream = Awaited<ReturnType<typeof openRecordStream>>;

async function writeAll(stream: Stream, values: readonly JsonValue[]): Promise<void> {
  for (const value of values) await stream.write(value);
}

/** Lets everything happen that needs nothing from outside. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe('Two senders of one stream under one key', () => {
  test('who send the same at the same time both come to its end, and each record is taken once (G4, G5).', async () => {
    const { batcher, open } = fakeBatcher();
    const [first, second] = [await open(4, 'k'), await open(4, 'k')];
    for (const value of numbers(10)) {
      await first.write(value);
      await second.write(value);
    }
    expect(await Promise.all([first.end(), second.end()])).toEqual([10, 10]);
    expect(batcher.taken).toEqual(numbers(10));
  });

  test('who cut it in other places: the one that is overtaken is told so, and how much is durable (G3).', async () => {
    const { batcher, open } = fakeBatcher();
    const [fours, threes] = [await open(4, 'k'), await open(3, 'k')];
    await writeAll(fours, numbers(5));
    await settle();
    await writeAll(threes, numbers(7));
    await settle();
    await expect(threes.write(7)).rejects.toMatchObject({ code: 'stream-overtaken', retryAfterMs: 1000 });
    expect(await threes.durable()).toBe(4);
    expect(batcher.taken).toEqual(numbers(4));
    await writeAll(fours, [5]);
    expect(await fours.end()).toBe(6);
    // Whoever was told to send it again comes to the end.
    const again = await open(3, 'k');
    await writeAll(again, numbers(6));
    expect(await again.end()).toBe(6);
    expect(batcher.taken).toEqual(numbers(6));
  });

  test('of whom one sends other records: that one is refused, and none of them is taken (G5).', async () => {
    const { batcher, open } = fakeBatcher();
    const [first, other] = [await open(4, 'k'), await open(4, 'k')];
    await writeAll(first, numbers(4));
    expect(await first.end()).toBe(4);
    await writeAll(other, ['a', 'b', 'c', 'd']);
    await expect(other.end()).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await other.durable()).toBe(0);
    expect(batcher.taken).toEqual(numbers(4));
  });

  test('of whom one goes on with other records where the other one stopped: it is refused, and none is taken (G5).', async () => {
    const { batcher, open } = fakeBatcher();
    const [first, other] = [await open(4, 'k'), await open(4, 'k')];
    await writeAll(first, numbers(4));
    expect(await first.durable()).toBe(4);
    await writeAll(other, ['a', 'b', 'c', 'd', 'e']);
    await settle();
    await expect(other.write('f')).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await other.durable()).toBe(0);
    expect(batcher.taken).toEqual(numbers(4));
  });

  test('of whom the later one has other records: no record of it is called durable (G3, G5).', async () => {
    const { batcher, open } = fakeBatcher();
    const first = await open(4, 'k');
    await writeAll(first, numbers(6));
    expect(await first.durable()).toBe(6);
    const other = await open(4, 'k');
    await writeAll(other, ['a', ...numbers(4)]);
    await expect(other.write(5)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await other.durable()).toBe(0);
    const longer = await open(4, 'k');
    await writeAll(longer, numbers(6));
    expect(await longer.end()).toBe(6);
    const tooLong = await open(4, 'k');
    await writeAll(tooLong, numbers(6));
    await expect(tooLong.write(7)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await tooLong.durable()).toBe(6);
    expect(batcher.taken).toEqual(numbers(6));
  });
});

test('While a part is on its way one more is gathered, and then writing waits (G6).', async () => {
  const { batcher, open } = fakeBatcher();
  const stream = await open(4);
  batcher.hold();
  let written = 0;
  const writing = (async () => {
    for (const value of numbers(20)) {
      await stream.write(value);
      written++;
    }
  })();
  await settle();
  expect(written).toBe(8);
  batcher.release();
  await writing;
  expect(await stream.end()).toBe(20);
  expect(batcher.taken).toEqual(numbers(20));
});

test.each([undefined, 'k'])(
  'Nothing counts as durable before it was sent (G3), under the key %s.',
  async (key) => {
    const { batcher, open } = fakeBatcher();
    const stream = await open(4, key);
    await writeAll(stream, numbers(4));
    batcher.hold();
    const told: string[] = [];
    const ended = stream.end().then(() => told.push('ended'));
    await settle();
    expect(told).toEqual([]);
    batcher.release();
    await ended;
    expect(batcher.taken).toEqual(numbers(4));
  },
);

test.each([undefined, 'k'])(
  'Of a stream of which a part failed, what was sent before it is durable, under the key %s.',
  async (key) => {
    const { batcher, open } = fakeBatcher();
    batcher.failAt = 2;
    const stream = await open(4, key);
    await writeAll(stream, numbers(10)).catch(() => undefined);
    expect(await stream.durable()).toBe(4);
    await expect(stream.write(10)).rejects.toThrow('no reply');
    expect(batcher.taken).toEqual(numbers(4));
  },
);
