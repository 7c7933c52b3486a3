import type { FieldProblem } from '../../src/domain/field-problems';
import { openOwnStore } from '../../src/store/own/open-own-store';
import { BATCH, record, storeFolders } from '../helpers/store-folders';
import { z } from 'zod';

const saveBatch = (records: readonly unknown[]) => records.map(() => 'saved');

async function open(exported: unknown, options: unknown = {}) {
  const limits = { timeoutMs: 10_000, callsAtOnce: 16, maxBatchSize: 1, onError: () => undefined };
  return openOwnStore(exported, { name: './store.mjs', options, folders: await storeFolders(), ...limits });
}

describe('A store of the user', () => {
  const testing = { values: [1, 2, 3, 4, 5] };
  test.each<[how: string, exported: unknown]>([
    ['the default export of an ES module', { default: { saveBatch, testing } }],
    [
      'what a CommonJS module exports, some of it by name too',
      { saveBatch, default: { saveBatch, testing } },
    ],
    ['the default export of what was compiled to CommonJS', { default: { default: { saveBatch, testing } } }],
    ['the exports themselves', { saveBatch, testing }],
    ['what open gives', { default: { open: () => Promise.resolve({ saveBatch, testing }) } }],
  ])('is found as %s, with all its parts.', async (_, exported) => {
    const store = await open(exported);
    expect(store.testing).toEqual(testing);
    await expect(store.save(record(1), BATCH)).resolves.toBeUndefined();
  });

  test("A user's store may implement the whole port, and its functions may be methods of a class.", async () => {
    class Port {
      readonly saved: string[] = [];
      closings = 0;
      async save({ recordId }: { recordId: string }) {
        await Promise.resolve(this.saved.push(recordId));
      }
      rollback = () => Promise.resolve();
      closeBatch = () => Promise.resolve({ location: 'here' });
      readBatch = () => Promise.resolve(undefined);
      close() {
        this.closings++;
      }
    }
    const port = new Port();
    const store = await open({ default: port });
    await store.save(record(1), BATCH);
    expect(await store.closeBatch(BATCH, [], 'text')).toEqual({ location: 'here' });
    await store.close();
    expect([port.saved, port.closings]).toEqual([['request:1'], 1]);
  });

  test.each<[what: string, options: unknown]>([
    ['a Standard Schema', z.object({ url: z.string(), size: z.number().default(5) })],
    ['anything with parse', { parse: (value: unknown) => ({ size: 5, ...(value as { url: string }) }) }],
  ])(
    'gets its options from %s, and with them the two folders and nothing else of the configuration.',
    async (_, options) => {
      const opened: unknown[][] = [];
      const definition = {
        options,
        open: (...args: unknown[]) => {
          opened.push(args);
          return { saveBatch };
        },
      };
      await open({ default: definition }, { url: 'here' });
      expect(opened).toEqual([
        [
          { url: 'here', size: 5 },
          { dataDir: expect.any(String), outDir: expect.any(String) },
        ],
      ]);
    },
  );

  test.each<[what: string, options: unknown]>([
    ['a Standard Schema', z.object({ url: z.object({ port: z.number() }) })],
    [
      'a schema whose parse throws issues',
      { parse: (value: unknown) => z.object({ url: z.object({ port: z.number() }) }).parse(value) },
    ],
  ])('is refused options that %s refuses, by field and without their values.', async (_, options) => {
    const opening = open({ default: { options, open: () => ({ saveBatch }) } }, { url: { port: 'hunter2' } });
    const problems: FieldProblem[] = [
      {
        field: 'STORE_OPTIONS/url/port',
        expected: expect.stringContaining("a value that the store's schema accepts: ") as string,
        received: 'a value of type string (not shown)',
      },
    ];
    await expect(opening).rejects.toMatchObject({
      code: 'invalid-config',
      problems,
      message: expect.not.stringContaining('hunter2'),
    });
  });

  test("A user's store whose open returns no store is refused.", async () => {
    await expect(open({ default: { open: () => ({ save: saveBatch }) } })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('expected open to return an object with saveBatch'),
    });
  });
});
