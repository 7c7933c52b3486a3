import fc from 'fast-check';
import type { BatcherStatus } from '../../src/contracts/batcher';
import { isKeepapartError } from '../../src/domain/errors';
import { createAdmission } from '../../src/temporal/admission';

const LIMITS = { maxBufferedRecords: 10, maxBufferedBytes: 40 };

interface Held {
  records: number;
  bytes: number;
}

function status({ records, bytes }: Held): BatcherStatus {
  return { bufferedRecords: records, bufferedBytes: bytes } as BatcherStatus;
}

function request(...values: (number | string)[]) {
  return { requestId: 'r', values };
}

/** A batcher whose answers and sends a test lets through one by one. */
function heldUp() {
  const questions: { answer: (held: Held) => void; fail: (error: Error) => void }[] = [];
  const admission = createAdmission(
    LIMITS,
    () =>
      new Promise((resolve, reject) => {
        questions.push({ answer: (held) => resolve(status(held)), fail: reject });
      }),
  );
  const sent: string[] = [];
  const admit = (name: string, records: number, send = () => Promise.resolve()) =>
    admission.admit(request(...Array.from({ length: records }, () => 1)), () => {
      sent.push(name);
      return send();
    });
  return { questions, sent, admit };
}

/** Lets everything run that waits for nothing but its turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const anyEvent = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      records: fc.integer({ min: 1, max: 4 }),
      value: fc.constantFrom<number | string>(1, 'abcdef', 'éé'),
      ends: fc.constantFrom('well', 'well', 'lost on the way', 'answer lost'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ drain: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant('nobody answers' as const) },
);

test('G6: one process never fills the buffer beyond its bounds, however late and in whatever order things happen.', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), fc.scheduler(), async (events, scheduler) => {
      let buffer: Held[] = [];
      let answering = true;
      const held = () => ({
        records: buffer.length,
        bytes: buffer.reduce((sum, { bytes }) => sum + bytes, 0),
      });
      const later = scheduler.scheduleFunction((what: string) => Promise.resolve(what));
      const admission = createAdmission(LIMITS, async () => {
        await later('the question is put');
        if (!answering) throw new Error('nobody answers');
        const answer = status(held());
        await later('the answer arrives');
        return answer;
      });

      const admitted = events.map(async (event, i) => {
        await later(`event ${i}`);
        if (event === 'nobody answers') answering = !answering;
        else if ('drain' in event) buffer = buffer.slice(event.drain);
        else {
          const values = Array.from({ length: event.records }, () => event.value);
          const bytes = Buffer.byteLength(JSON.stringify(event.value));
          await admission.admit(request(...values), async () => {
            await later(`request ${i} arrives`);
            if (event.ends === 'lost on the way') throw new Error('lost');
            buffer = [...buffer, ...values.map(() => ({ records: 1, bytes }))];
            expect(held().records).toBeLessThanOrEqual(LIMITS.maxBufferedRecords);
            expect(held().bytes).toBeLessThanOrEqual(LIMITS.maxBufferedBytes);
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
      const last = admission.admit(request(...Array.from({ length: 10 }, () => 1)), () => Promise.resolve());
      await scheduler.waitFor(last);
    }),
    { numRuns: 300 },
  );
});

test('G6: a process that starts learns what the buffer holds with its first request, which does not wait for that.', async () => {
  const { questions, sent, admit } = heldUp();
  await admit('first', 1);
  expect(sent).toEqual(['first']);
  expect(questions).toHaveLength(1);
  questions[0]!.answer({ records: 9, bytes: 9 });
  await settled();

  const second = admit('second', 1);
  expect(questions).toHaveLength(2);
  questions[1]!.answer({ records: 10, bytes: 10 });
  await expect(second).rejects.toMatchObject({ code: 'buffer-full' });
  expect(sent).toEqual(['first']);
});

test('while no worker answers, what fits by the own count is taken, and the batcher is asked again.', async () => {
  const { questions, sent, admit } = heldUp();
  await admit('a', 6);
  questions[0]!.fail(new Error('no worker'));
  await settled();
  await admit('b', 4);
  expect(sent).toEqual(['a', 'b']);
  expect(questions).toHaveLength(2);
});

describe('a process that knows the buffer', () => {
  let process: ReturnType<typeof heldUp>;
  beforeEach(async () => {
    process = heldUp();
    const first = process.admit('first', 10);
    process.questions.shift()!.answer({ records: 0, bytes: 0 });
    await first;
    await settled();
  });

  test('takes what fits without asking, up to the very bound.', async () => {
    const { questions, admit } = process;
    const refill = admit('refill', 1);
    questions.shift()!.answer({ records: 0, bytes: 0 });
    await refill;
    await admit('more', 9);
    expect(questions).toEqual([]);
  });

  test('asks once for all requests that come meanwhile, and takes of them what fits.', async () => {
    const { questions, sent, admit } = process;
    const ends = Promise.allSettled([admit('a', 3), admit('b', 3), admit('c', 3)]);
    expect(questions).toHaveLength(1);
    questions[0]!.answer({ records: 4, bytes: 4 });
    expect((await ends).map((end) => end.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(sent).toEqual(['first', 'a', 'b']);
  });

  test('refuses what does not fit, saying how much there is and when to come back; nothing of it is sent.', async () => {
    const { questions, sent, admit } = process;
    const refused = admit('too much', 3);
    questions[0]!.answer({ records: 8, bytes: 30 });
    await expect(refused).rejects.toMatchObject({
      code: 'buffer-full',
      retryAfterMs: 1000,
      message:
        'The buffer holds 8 of at most 10 records and 30 of at most 40 bytes; 3 more of 3 bytes do not fit.',
    });
    expect(sent).toEqual(['first']);
  });

  test('passes on that the batcher could not be asked, to all who waited, and asks anew for the next.', async () => {
    const { questions, admit } = process;
    const ends = Promise.allSettled([admit('a', 1), admit('b', 1)]);
    questions[0]!.fail(new Error('away'));
    expect(await ends).toMatchObject([
      { status: 'rejected', reason: { message: 'away' } },
      { status: 'rejected', reason: { message: 'away' } },
    ]);
    const next = admit('c', 1);
    expect(questions).toHaveLength(2);
    questions[1]!.answer({ records: 9, bytes: 9 });
    await next;
  });

  test('counts a request that failed, which may have arrived, until the batcher has been asked.', async () => {
    const { questions, admit } = process;
    const failed = admit('failed', 6, () => Promise.reject(new Error('lost')));
    questions[0]!.answer({ records: 0, bytes: 0 });
    await expect(failed).rejects.toThrow('lost');
    await admit('beside it', 4);
    expect(questions).toHaveLength(1);
    const next = admit('next', 6);
    expect(questions).toHaveLength(2);
    questions[1]!.answer({ records: 4, bytes: 4 });
    await next;
  });

  test('counts bytes as the buffer does: as JSON in UTF-8.', async () => {
    const { questions } = process;
    const admission = createAdmission({ ...LIMITS, maxBufferedBytes: 8 }, () =>
      Promise.resolve(status({ records: 0, bytes: 0 })),
    );
    await admission.admit(request('éé', 12), () => Promise.resolve());
    await expect(admission.admit(request('ééé', 1), () => Promise.resolve())).rejects.toMatchObject({
      code: 'buffer-full',
    });
    expect(questions).toEqual([]);
  });
});
