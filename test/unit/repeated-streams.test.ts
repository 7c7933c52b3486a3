import type { AcceptedRequest } from '../../src/contracts/workflow/batcher';
import type { StreamProgress } from '../../src/domain/windows/stream-window';
import { canonicalJson, type JsonValue } from '../../src/domain/json';
import { keyRefOf, sha256, shortDigest } from '../../src/temporal/shard/digests';
import { openRecordStream } from '../../src/temporal/shard/record-stream';

const KEY = keyRefOf('k');

/** So large that two of them fill a part. */
const LARGE = Array.from({ length: 8 }, (_, i) => `${i} ${'x'.repeat(30_000)}`);

function digestOf(values: readonly JsonValue[]): string {
  const hash = sha256();
  for (const value of values) hash.update(canonicalJson(value)).update('\n');
  return values.length === 0 ? '' : shortDigest(hash);
}

/** A shard that takes parts in turn. */
function fakeShard(taken: readonly JsonValue[] = [], { complete = false, followed = true } = {}) {
  const shard = {
    values: [...taken],
    isComplete: complete,
    isFollowed: followed,
    sent: [] as AcceptedRequest[],
    progress(): Promise<StreamProgress | null> {
      if (shard.values.length === 0) return Promise.resolve(null);
      const digest = digestOf(shard.values);
      const length = shard.isFollowed ? shard.values.length : null;
      return Promise.resolve({ taken: length, digest, complete: shard.isComplete });
    },
    send(request: AcceptedRequest): Promise<StreamProgress | null> {
      shard.sent.push(request);
      const { part, values, offset } = request;
      if (part?.before === digestOf(shard.values) && offset === shard.values.length && !shard.isComplete) {
        shard.values.push(...values);
        shard.isComplete = part.complete;
        shard.isFollowed = true;
      }
      return shard.progress();
    },
  };
  return shard;
}

async function sendAll(shard: ReturnType<typeof fakeShard>, values: readonly JsonValue[]) {
  const stream = await openRecordStream(shard, { records: 1000, bytes: 65_536 }, 'k', KEY);
  for (const value of values) await stream.write(value);
  return stream;
}

const reused = { code: 'idempotency-key-reused' };

test('G5: a stream goes on behind what was taken, whether its length is known or its digest alone.', async () => {
  for (const followed of [true, false]) {
    const shard = fakeShard(LARGE.slice(0, 5), { followed });
    const stream = await sendAll(shard, LARGE);
    expect(await stream.end()).toBe(8);
    expect(shard.values).toEqual(LARGE);
    expect(shard.sent[0]).toMatchObject({ offset: 5, part: { before: digestOf(LARGE.slice(0, 5)) } });
  }
});

test('G5: a whole stream sent again adds nothing, and a longer, shorter or other one is refused, also by its digest alone.', async () => {
  for (const followed of [true, false]) {
    const known = { complete: true, followed };
    const shard = fakeShard(LARGE.slice(0, 3), known);
    expect(await (await sendAll(shard, LARGE.slice(0, 3))).end()).toBe(3);
    await expect(sendAll(shard, LARGE.slice(0, 4))).rejects.toMatchObject(reused);
    await expect((await sendAll(shard, LARGE.slice(0, 2))).end()).rejects.toMatchObject(reused);
    const other = ['other', ...LARGE.slice(1, 3)];
    await expect(sendAll(shard, other).then((stream) => stream.end())).rejects.toMatchObject(reused);
    expect(shard.sent).toEqual([]);
  }
});

test('G3: before it is found how far a stream was taken, no more is said to be durable than is known.', async () => {
  const shard = fakeShard(LARGE.slice(0, 3), { followed: false });
  expect(await (await sendAll(shard, LARGE.slice(0, 2))).durable()).toBe(0);
  expect(await (await sendAll(shard, LARGE.slice(0, 3))).durable()).toBe(3);
  expect(shard.sent).toEqual([]);
});
