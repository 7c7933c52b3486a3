import { createOnceOnly, digestOf } from '../../src/temporal/shard/idempotency';

/** A batcher that remembers the first body of each key, answers one question after another, and can be away. */
function fakeBatcher() {
  const bodies = new Map<string, string>();
  const batcher = {
    away: false,
    questions: [] as string[][],
    handedOver: 0,
    release: (): void => undefined,
    held: undefined as Promise<void> | undefined,
    hold() {
      batcher.held = new Promise((resolve) => (batcher.release = resolve));
    },
    async ask(keys: string[]) {
      batcher.questions.push(keys);
      await batcher.held;
      if (batcher.away) throw new Error('no worker');
      return keys.map((key) => bodies.get(key) ?? null);
    },
  };
  const { take } = createOnceOnly((keys) => batcher.ask(keys));
  const send = (requestId: string, values: number[]) => {
    const digest = digestOf({ requestId, values });
    return take({ requestId, digest }, () => {
      batcher.handedOver++;
      if (!bodies.has(digest.key)) bodies.set(digest.key, digest.body);
      return Promise.resolve();
    });
  };
  return { batcher, bodies, send };
}

test('G5: a request is handed over and then asked for; another body under its key is refused.', async () => {
  const { batcher, send } = fakeBatcher();
  await send('a', [1]);
  expect([batcher.handedOver, batcher.questions.length]).toEqual([1, 1]);
  await expect(send('a', [2])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
});

test('requests that wait share one question at a time, and each gets its own answer.', async () => {
  const { batcher, send } = fakeBatcher();
  batcher.hold();
  const sent = ['a', 'b', 'c', 'd'].map((key, i) => send(key, [i]));
  const refused = expect(send('a', [9])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await new Promise(setImmediate);
  expect(batcher.questions).toHaveLength(1);
  batcher.release();
  await Promise.all(sent);
  await refused;
  expect(batcher.questions.map((keys) => keys.length)).toEqual([1, 4]);
});

test('a question that fails fails everybody who waits, at once, and the next one is asked anew.', async () => {
  const { batcher, send } = fakeBatcher();
  batcher.hold();
  batcher.away = true;
  const sent = [send('a', [1]), send('b', [2]), send('c', [3])].map((each) =>
    each.catch((error: unknown) => (error as Error).message),
  );
  await new Promise(setImmediate);
  batcher.release();
  expect(await Promise.all(sent)).toEqual(['no worker', 'no worker', 'no worker']);
  expect(batcher.questions).toHaveLength(1);
  batcher.away = false;
  await send('d', [4]);
});

test('a repeat of what was handed over costs no message, unless the batcher has lost it.', async () => {
  const { batcher, bodies, send } = fakeBatcher();
  batcher.away = true;
  await expect(send('a', [1])).rejects.toThrow('no worker');
  batcher.away = false;
  await send('a', [1]);
  expect(batcher.handedOver).toBe(1);
  bodies.clear();
  await send('a', [1]);
  expect(batcher.handedOver).toBe(2);
});
