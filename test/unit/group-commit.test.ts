import fc from 'fast-check';
import { createGroupCommit } from '../../src/concurrency/group-commit';

const LIMITS = { entries: 4, bytes: 100, inFlight: 2, gatherMs: 0 };

/** Group commit whose commits a test lets end one by one. */
function heldUp(limits = LIMITS) {
  const commits: { entries: string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const add = createGroupCommit<string, string>(
    limits,
    (entries) =>
      new Promise((resolve, reject) => {
        const end = () => resolve(entries.map((entry) => `result of ${entry}`));
        commits.push({ entries, end, fail: reject });
      }),
  );
  return { commits, add };
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('An entry on an idle system goes at once, alone, and is added when its commit has ended, not before.', async () => {
  const { commits, add } = heldUp();
  let added = false;
  const adding = add('a', 1).then(() => (added = true));
  await settle();
  expect(commits.map(({ entries }) => entries)).toEqual([['a']]);
  expect(added).toBe(false);
  commits[0]!.end();
  await adding;
});

test('What arrives while as many commits as may are under way goes together into the next.', async () => {
  const { commits, add } = heldUp();
  for (const name of ['a', 'b']) {
    void add(name, 1);
    await settle();
  }
  for (const name of ['c', 'd', 'e']) void add(name, 1);
  await settle();
  expect(commits.map(({ entries }) => entries)).toEqual([['a'], ['b']]);
  commits[1]!.end();
  await settle();
  expect(commits.map(({ entries }) => entries)).toEqual([['a'], ['b'], ['c', 'd', 'e']]);
});

test('A commit that fails fails exactly the entries of its group, and what waits goes on.', async () => {
  const { commits, add } = heldUp({ ...LIMITS, inFlight: 1 });
  const ends = ['a', 'b', 'c'].map((name) => add(name, 1));
  const later = add('d', 200);
  await settle();
  commits[0]!.fail(new Error('lost'));
  const results = await Promise.allSettled(ends);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await settle();
  expect(commits[1]!.entries).toEqual(['d']);
  commits[1]!.end();
  await expect(later).resolves.toBe('result of d');
});

test('Each entry gets its own result, whichever group it went in and whoever had a place before it.', async () => {
  const { commits, add } = heldUp({ ...LIMITS, inFlight: 1 });
  const results = [add('a', 1)];
  await settle();
  for (const name of ['b', 'c', 'd']) results.push(add(name, 60));
  for (let group = 0; group < 4; group++) {
    commits[group]!.end();
    await settle();
  }
  expect(commits.map(({ entries }) => entries)).toEqual([['a'], ['b'], ['c'], ['d']]);
  expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd'].map((name) => `result of ${name}`));
});

test('A commit that does not return a result for each entry fails its group: nobody could say whose they are.', async () => {
  const add = createGroupCommit<string, string>(LIMITS, () => Promise.resolve(['of one of them']));
  const results = await Promise.allSettled([add('a', 1), add('b', 1)]);
  const reason = new TypeError('a commit of 2 entries returned 1 results');
  expect(results).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
});

describe('After a commit of several', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  /** A system that has just committed `a`, `b` and `c` together. */
  async function afterThree() {
    const system = heldUp({ entries: 4, bytes: 100, inFlight: 1, gatherMs: 10 });
    for (const name of ['a', 'b', 'c']) void system.add(name, 1);
    await settle();
    system.commits[0]!.end();
    await settle();
    return { ...system, groups: () => system.commits.slice(1).map(({ entries }) => entries) };
  }

  test('the next one waits until as many are there again.', async () => {
    const { add, groups } = await afterThree();
    for (const name of ['d', 'e']) {
      void add(name, 1);
      await settle();
    }
    expect(groups()).toEqual([]);
    void add('f', 1);
    await settle();
    expect(groups()).toEqual([['d', 'e', 'f']]);
  });

  test('those count as well who came while it was under way.', async () => {
    const { commits, add } = heldUp({ entries: 4, bytes: 100, inFlight: 1, gatherMs: 10 });
    for (const name of ['a', 'b']) void add(name, 1);
    await settle();
    for (const name of ['c', 'd']) void add(name, 1);
    commits[0]!.end();
    await settle();
    void add('e', 1);
    await settle();
    expect(commits).toHaveLength(1);
    void add('f', 1);
    await settle();
    expect(commits[1]!.entries).toEqual(['c', 'd', 'e', 'f']);
  });

  test('it waits no longer than the time from the end of that commit.', async () => {
    const { commits, add, groups } = await afterThree();
    jest.advanceTimersByTime(4);
    void add('d', 1);
    await settle();
    jest.advanceTimersByTime(5);
    await settle();
    expect(groups()).toEqual([]);
    jest.advanceTimersByTime(1);
    await settle();
    expect(groups()).toEqual([['d']]);
    commits[1]!.end();
    await settle();
    void add('e', 1);
    await settle();
    expect(groups()).toEqual([['d'], ['e']]);
  });

  test('who comes after that time waits for nothing.', async () => {
    const { add, groups } = await afterThree();
    jest.advanceTimersByTime(10);
    void add('d', 1);
    await settle();
    expect(groups()).toEqual([['d']]);
  });

  test('what fills a group alone waits for nobody.', async () => {
    const { add, groups } = await afterThree();
    void add('d', 100);
    await settle();
    expect(groups()).toEqual([['d']]);
  });
});

test('Every entry is committed once, in order of arrival, in groups within their bounds.', async () => {
  const anyEntry = fc.record({ bytes: fc.integer({ min: 0, max: 130 }), pause: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEntry, { maxLength: 40 }),
      fc.constantFrom(0, 1),
      fc.scheduler(),
      async (entries, gatherMs, scheduler) => {
        const groups: number[][] = [];
        let inFlight = 0;
        const add = createGroupCommit<number, number>({ ...LIMITS, gatherMs }, async (group) => {
          groups.push(group);
          inFlight++;
          expect(inFlight).toBeLessThanOrEqual(LIMITS.inFlight);
          await scheduler.schedule(Promise.resolve(), 'a commit ends');
          inFlight--;
          return group.map((entry) => -entry);
        });
        const adding: Promise<number>[] = [];
        for (const [i, { bytes, pause }] of entries.entries()) {
          adding.push(add(i, bytes));
          if (pause) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await scheduler.waitFor(Promise.all(adding))).toEqual(entries.map((_, i) => -i));
        expect(groups.flat()).toEqual(entries.map((_, i) => i));
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(LIMITS.entries);
          const bytes = group.reduce((sum, i) => sum + entries[i]!.bytes, 0);
          expect(group.length === 1 || bytes <= LIMITS.bytes).toBe(true);
        }
      },
    ),
    { numRuns: 100 },
  );
});
