import { keepAnswer } from '../../src/concurrency/keep-answer';

test('Callers share an answer while it is pending, even beyond its time, and while it is kept.', async () => {
  let asked = 0;
  let answer: (value: number) => void = () => undefined;
  const read = keepAnswer(0, () => new Promise<number>((resolve) => ((asked += 1), (answer = resolve))));
  const [first, second] = [read(), read()];
  answer(7);
  expect([await first, await second, asked]).toEqual([7, 7, 1]);
  void read();
  expect(asked).toBe(2);

  const kept = keepAnswer(60_000, () => Promise.resolve(++asked));
  expect([await kept(), await kept()]).toEqual([3, 3]);
});

test('A failed answer is shared by those who wait for it, and the next caller asks again.', async () => {
  let asked = 0;
  const read = keepAnswer(60_000, () =>
    ++asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve('here'),
  );
  const both = await Promise.allSettled([read(), read()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([await read(), asked]).toEqual(['here', 2]);
});
