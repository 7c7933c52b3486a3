import fc from 'fast-check';
import { NO_COUNTS, type BatcherStatus } from '../../src/contracts/workflow/batcher';
import { isKeepapartError } from '../../src/domain/errors';
import { createAdmission, loadOf, type Load } from '../../src/temporal/shard/admission';

/** An eighth of it: ten records, a hundred bytes. */
const LIMITS = { maxBufferedRecords: 80, maxBufferedBytes: 800 };

interface Answer extends Load {
  settled?: number;
  paused?: boolean;
}

function status({ records, bytes, settled = 0, paused = false }: Answer): BatcherStatus {
  return {
    bufferedRecords: records,
    bufferedBytes: bytes,
    counters: { ...NO_COUNTS, saved: settled },
    paused: paused ? { by: 'test', atMs: 0 } : null,
  } as BatcherStatus;
}

/** A batcher whose answers and sends a test lets through one by one, on a clock that stands still until it is told. */
function heldUp() {
  const questions: { answer: (held: Answer) => void; fail: (error: Error) => void }[] = [];
  const clock = { ms: 0 };
  const admission = createAdmission(
    LIMITS,
    () =>
      new Promise((resolve, reject) => {
        questions.push({ answer: (held) => resolve(status(held)), fail: reject });
      }),
    () => clock.ms,
  );
  const sent: string[] = [];
  const admit = (name: string, records: number, send = () => Promise.resolve()) =>
    admission.admit({ records, bytes: records }, () => {
      sent.push(name);
      return send();
    });
  return { questions, sent, admit, clock };
}

/** Lets everything run that waits for nothing but its turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

type AnyEvent = typeof anyEvent extends fc.Arbitrary<infer Event> ? Event : never;

const anyEvent = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      records: fc.integer({ min: 1, max: 10 }),
      value: fc.constantFrom<number | string>(1, 'abcdef', 'éé'),
      ends: fc.constantFrom('well', 'well', 'lost on the way', 'answer lost'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ drain: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.constant('nobody answers' as const) },
);

test('G6: one process never fills the buffer beyond its bounds, however late and in whatever order things happen.', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { maxLength: 60, size: 'max' }),
      fc.scheduler(),
      async (events, scheduler) => {
        await playEvents(1, events, scheduler, LIMITS);
      },
    ),
    { numRuns: 150, endOnFailure: true },
  );
});

test('G6: n processes overfill a buffer by at most n eighths of its bound while the batcher answers.', async () => {
  const beyond = (bound: number, n: number) => bound + (n * bound) / 8;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.array(anyEvent, { maxLength: 60, size: 'max' }),
      fc.scheduler(),
      async (processes, events, scheduler) => {
        const answering = events.filter((event) => event !== 'nobody answers');
        await playEvents(processes, answering, scheduler, {
          maxBufferedRecords: beyond(LIMITS.maxBufferedRecords, processes),
          maxBufferedBytes: beyond(LIMITS.maxBufferedBytes, processes),
        });
      },
    ),
    { numRuns: 150, endOnFailure: true },
  );
});

/** Plays events over a model of the buffer, which must never hold more than `most`. */
async function playEvents(
  processes: number,
  events: readonly AnyEvent[],
  scheduler: fc.Scheduler,
  most: typeof LIMITS,
): Promise<void> {
  let buffer: Load[] = [];
  let answering = true;
  let ms = 0;
  const held = () => ({
    records: buffer.length,
    bytes: buffer.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const later = scheduler.scheduleFunction((what: string) => Promise.resolve(what));
  const readStatus = async () => {
    await later('the question is put');
    if (!answering) throw new Error('nobody answers');
    const answer = status(held());
    await later('the answer arrives');
    return answer;
  };
  const admissions = Array.from({ length: processes }, () => createAdmission(LIMITS, readStatus, () => ms));

  const admitted = events.map(async (event, i) => {
    await later(`event ${i}`);
    ms += 30;
    if (event === 'nobody answers') answering = !answering;
    else if ('drain' in event) buffer = buffer.slice(event.drain);
    else {
      const values = Array.from({ length: event.records }, () => event.value);
      const bytes = Buffer.byteLength(JSON.stringify(event.value));
      await admissions[i % processes]!.admit(loadOf(values), async () => {
        await later(`request ${i} arrives`);
        if (event.ends === 'lost on the way') throw new Error('lost');
        buffer = [...buffer, ...values.map(() => ({ records: 1, bytes }))];
        expect(held().records).toBeLessThanOrEqual(most.maxBufferedRecords);
        expect(held().bytes).toBeLessThanOrEqual(most.maxBufferedBytes);
        await later(`request ${i} is acknowledged`);
        if (event.ends === 'answer lost') throw new Error('lost');
      });
    }
  });
  const ends = Promise.allSettled(admitted);
  await scheduler.waitFor(ends);
  for (const end of await ends) {
    const error: unknown = end.status === 'rejected' ? end.reason : undefined;
    if (error === undefined || isKeepapartError(error)) continue;
    expect((error as Error).message).toMatch(/^(lost|nobody answers)$/);
  }

  // And it never gets stuck: with an empty buffer and a batcher that answers, what fits is taken.
  await scheduler.waitIdle();
  answering = true;
  buffer = [];
  ms += 1000;
  for (const admission of admissions) {
    const last = admission.admit({ records: 80, bytes: 800 }, () => Promise.resolve());
    await scheduler.waitFor(last);
    ms += 1000;
  }
}

test('G6: a process that starts learns what the buffer holds with its first request, which does not wait for that.', async () => {
  const { questions, sent, admit } = heldUp();
  await admit('first', 1);
  expect(sent).toEqual(['first']);
  expect(questions).toHaveLength(1);
  questions[0]!.answer({ records: 80, bytes: 80 });
  await settled();

  // That answer may have counted the first request or not, so it is asked again before another one is refused.
  const refused = expect(admit('second', 1)).rejects.toMatchObject({ code: 'buffer-full' });
  expect(questions).toHaveLength(2);
  questions[1]!.answer({ records: 80, bytes: 80 });
  await refused;
  expect(sent).toEqual(['first']);
});

test('While no worker answers, what fits by the own count is taken, and the batcher is asked again.', async () => {
  const { questions, sent, admit } = heldUp();
  await admit('a', 60);
  questions[0]!.fail(new Error('no worker'));
  await settled();
  await admit('b', 20);
  expect(sent).toEqual(['a', 'b']);
  expect(questions).toHaveLength(2);
});

describe('A process that knows the buffer', () => {
  let process: ReturnType<typeof heldUp>;
  beforeEach(async () => {
    process = heldUp();
    const first = process.admit('first', 1);
    process.questions.shift()!.answer({ records: 0, bytes: 0 });
    await first;
    await settled();
    process.clock.ms = 1000;
  });

  test('takes what fits without asking, up to half of its share.', async () => {
    const { questions, admit } = process;
    await admit('more', 4);
    expect(questions).toEqual([]);
  });

  test('asks from half of its share on, and nobody waits for that.', async () => {
    const { questions, sent, admit } = process;
    await admit('more', 4);
    await admit('still more', 5);
    expect(sent).toEqual(['first', 'more', 'still more']);
    expect(questions).toHaveLength(1);
  });

  test('waits for the answer where its share is used up, and takes what fits then.', async () => {
    const { questions, sent, admit } = process;
    await admit('share', 9);
    const next = admit('next', 1);
    await settled();
    expect(sent).toEqual(['first', 'share']);
    questions[0]!.answer({ records: 60, bytes: 60 });
    await next;
    const beyond = admit('beyond', 10);
    await settled();
    questions[1]!.answer({ records: 71, bytes: 71 });
    await expect(beyond).rejects.toMatchObject({ code: 'buffer-full' });
  });

  test('goes by its own count where its share is used up and nobody answers.', async () => {
    const { questions, sent, admit } = process;
    await admit('share', 9);
    const next = admit('next', 1);
    questions[0]!.fail(new Error('no worker'));
    await next;
    expect(sent).toEqual(['first', 'share', 'next']);
  });

  test('asks once for all requests that come meanwhile, and takes of them what fits.', async () => {
    const { questions, sent, admit } = process;
    const ends = Promise.allSettled([admit('a', 30), admit('b', 30), admit('c', 30)]);
    expect(questions).toHaveLength(1);
    for (const records of [1, 1, 31]) {
      questions.pop()!.answer({ records, bytes: records });
      await settled();
      process.clock.ms += 1000;
    }
    expect((await ends).map((end) => end.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(sent).toEqual(['first', 'a', 'b']);
  });

  test('refuses what does not fit, saying how much there is; nothing of it is sent.', async () => {
    const { questions, sent, admit } = process;
    const refused = admit('too much', 81);
    questions[0]!.answer({ records: 78, bytes: 300 });
    await expect(refused).rejects.toMatchObject({
      code: 'buffer-full',
      message:
        'The buffer holds 78 of at most 80 records and 300 of at most 800 bytes; 81 more of 81 bytes do not fit.',
    });
    expect(sent).toEqual(['first']);
  });

  test('does not ask again for what a fresh answer refuses already.', async () => {
    const { questions, clock, admit } = process;
    const refused = admit('too much', 81);
    questions[0]!.answer({ records: 78, bytes: 300 });
    await expect(refused).rejects.toMatchObject({ code: 'buffer-full' });
    clock.ms += 99;
    await expect(admit('again', 81)).rejects.toMatchObject({ code: 'buffer-full' });
    expect(questions).toHaveLength(1);
    clock.ms += 1;
    const third = admit('and again', 81);
    expect(questions).toHaveLength(2);
    questions[1]!.answer({ records: 78, bytes: 300 });
    await expect(third).rejects.toMatchObject({ code: 'buffer-full' });
  });

  test('passes on that the batcher could not be asked, to all who waited, and asks anew for the next.', async () => {
    const { questions, admit } = process;
    const ends = Promise.allSettled([admit('a', 80), admit('b', 80)]);
    questions[0]!.fail(new Error('away'));
    expect(await ends).toMatchObject([
      { status: 'rejected', reason: { message: 'away' } },
      { status: 'rejected', reason: { message: 'away' } },
    ]);
    const next = admit('c', 80);
    expect(questions).toHaveLength(2);
    questions[1]!.answer({ records: 0, bytes: 0 });
    await next;
  });

  test('counts a request that failed, which may have arrived, until the batcher has been asked.', async () => {
    const { questions, clock, admit } = process;
    const failed = admit('failed', 80, () => Promise.reject(new Error('lost')));
    questions[0]!.answer({ records: 0, bytes: 0 });
    await expect(failed).rejects.toThrow('lost');
    clock.ms += 1000;
    const next = admit('next', 1);
    await settled();
    expect(questions).toHaveLength(2);
    questions[1]!.answer({ records: 0, bytes: 0 });
    await next;
  });

  describe('tells when to come back', () => {
    /** Answers of the batcher, so far apart that each measures anew, then how long one record that doesn't fit is to wait. */
    async function waitMsAfter(...answers: Answer[]): Promise<number> {
      const { questions, clock, admit } = process;
      for (const answer of answers) {
        clock.ms += 1_000_000;
        const refused = admit('too much', 81).catch((error: unknown) => error);
        questions.pop()!.answer(answer);
        expect(await refused).toMatchObject({ code: 'buffer-full' });
      }
      const error: unknown = await admit('one', 1).catch((thrown: unknown) => thrown);
      return (error as { retryAfterMs: number }).retryAfterMs;
    }

    test('by the rate at which records reach their outcomes.', async () => {
      // 20 records too many, 4 a second.
      expect(await waitMsAfter({ records: 99, bytes: 99, settled: 4004 })).toBe(5000);
    });

    test('after a second at the soonest.', async () => {
      expect(await waitMsAfter({ records: 80, bytes: 80, settled: 400_000 })).toBe(1000);
    });

    test('after a minute while nothing drains.', async () => {
      expect(await waitMsAfter({ records: 80, bytes: 80, settled: 0 })).toBe(60_000);
    });

    test('after a minute while the shard is paused.', async () => {
      expect(await waitMsAfter({ records: 80, bytes: 80, settled: 400_000, paused: true })).toBe(60_000);
    });

    test('by bytes where those are what does not fit.', async () => {
      // Ten bytes a record: 201 bytes too many are 20.1 records, at 4 a second.
      expect(await waitMsAfter({ records: 100, bytes: 1000, settled: 4004 })).toBe(5250);
    });
  });
});

test('Bytes are counted as the buffer does: as JSON in UTF-8, value by value.', () => {
  expect(loadOf(['éé', 12, { a: null }])).toEqual({ records: 3, bytes: 6 + 2 + 10 });
});
