import fc from 'fast-check';
import { createGroupCommit } from '../../src/temporal/group-commit';

const LIMITS = { entries: 4, bytes: 100, inFlight: 2 };

/** Group commit whose commits a test lets end one by one. */
function heldUp(limits = LIMITS) {
  const commits: { entries: string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const add = createGroupCommit<string>(
    limits,
    (entries) =>
      new Promise((resolve, reject) => {
        commits.push({ entries, end: resolve, fail: reject });
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
  await expect(later).resolves.toBeUndefined();
});

test('Every entry is committed once, in order of arrival, in groups within their bounds.', async () => {
  const anyEntry = fc.record({ bytes: fc.integer({ min: 0, max: 130 }), pause: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(anyEntry, { maxLength: 40 }), fc.scheduler(), async (entries, scheduler) => {
      const groups: number[][] = [];
      let inFlight = 0;
      const add = createGroupCommit<number>(LIMITS, async (group) => {
        groups.push(group);
        inFlight++;
        expect(inFlight).toBeLessThanOrEqual(LIMITS.inFlight);
        await scheduler.schedule(Promise.resolve(), 'a commit ends');
        inFlight--;
      });
      const adding: Promise<void>[] = [];
      for (const [i, { bytes, pause }] of entries.entries()) {
        adding.push(add(i, bytes));
        if (pause) await new Promise((resolve) => setImmediate(resolve));
      }
      await scheduler.waitFor(Promise.all(adding));
      expect(groups.flat()).toEqual(entries.map((_, i) => i));
      for (const group of groups) {
        expect(group.length).toBeLessThanOrEqual(LIMITS.entries);
        const bytes = group.reduce((sum, i) => sum + entries[i]!.bytes, 0);
        expect(group.length === 1 || bytes <= LIMITS.bytes).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
