import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../src/domain/json';
import {
  batchFileName,
  OUTCOME_FORMATS,
  outcomeFileContent,
  type OutcomeFormat,
} from '../../src/domain/records/outcome';
import { createFileStore } from '../../src/store/file-store';
import { auditHere, runAuditCommand, writeLedger } from '../helpers/audit-command';
import { settle } from '../helpers/settle-batch';
import { BATCH, rolledBack, saved, storeFolders } from '../helpers/store-folders';
import { startCommand } from '../helpers/system';

jest.setTimeout(120_000);

/** Batches as the file store writes them; 3 is in two of them. */
const BATCHES: JsonValue[][] = [
  [1, 3, 4, { id: 7, type: 'a' }],
  [2, 3, 5],
  ['a', { id: 8, type: 'b' }],
];
const WITH_AN_OBJECT = 0;

/** A folder of files without damage, and a ledger of what is in them. */
async function cleanFolder(format: OutcomeFormat) {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const acknowledged: { recordId: string; value: JsonValue }[] = [];
  const files: string[] = [];
  const addFile = async (values: readonly JsonValue[]) => {
    const batch = { ...BATCH, batchId: `batcher-0-${String(files.length + 1).padStart(8, '0')}` };
    const kept = values.map((value, index) => ({ recordId: `r:${acknowledged.length + index}`, value }));
    const settled = kept.map((record, index) => (index === 1 ? rolledBack(record) : saved(record)));
    await settle(store, { batch, records: settled, format });
    acknowledged.push(...kept);
    files.push(batchFileName(batch));
  };
  for (const values of BATCHES) await addFile(values);
  const root = folders.dataDir;
  const ledger = join(root, 'ledger.jsonl');
  return {
    root,
    files,
    ledger,
    addFile,
    path: (index: number) => join(folders.outDir, files[index] ?? ''),
    out: (name: string) => join(folders.outDir, name),
    linesOf: (index: number) =>
      readFileSync(join(folders.outDir, files[index] ?? ''), 'utf8')
        .split('\n')
        .slice(0, -1),
    async audit(env: Record<string, string> = {}, args: readonly string[] = ['--ledger', ledger]) {
      await writeLedger(ledger, acknowledged);
      return runAuditCommand(args, { cwd: root, env: { KEEPAPART_OUT_DIR: folders.outDir, ...env } });
    },
    async auditHere(env: Record<string, string> = {}, ledgers: readonly string[] = [ledger]) {
      await writeLedger(ledger, acknowledged);
      return auditHere(ledgers, { KEEPAPART_OUT_DIR: folders.outDir, ...env });
    },
  };
}

type Folder = Awaited<ReturnType<typeof cleanFolder>>;

function rewrite(path: string, lines: readonly string[]): void {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
}

interface Plant {
  what: string;
  plant(folder: Folder): Promise<void> | void;
  env?: Record<string, string>;
  /** Kinds of damage and their counts; a function where the formats can't tell the same. */
  found: Record<string, number> | ((format: OutcomeFormat) => Record<string, number>);
  /** Found by the files alone as well. */
  withoutLedger?: true;
}

const TORN_AND_MISSING = { torn: 1, missing: 1 };

const PLANTS: Plant[] = [
  {
    what: 'a record that is missing in its file (G4)',
    plant: ({ path, linesOf }) => rewrite(path(0), linesOf(0).slice(1)),
    found: { missing: 1 },
  },
  {
    what: 'one of two records with the same value that is missing (G4)',
    plant: ({ path, linesOf }) => rewrite(path(1), [linesOf(1)[0] ?? '', linesOf(1)[2] ?? '']),
    found: { missing: 1 },
  },
  {
    what: 'a file that is gone with its records (G4)',
    plant: ({ path }) => rmSync(path(0)),
    found: { missing: 4 },
  },
  {
    what: 'a record that is doubled in one file (G4)',
    plant: ({ path, linesOf }) => appendFileSync(path(0), `${linesOf(0)[0]}\n`),
    found: { doubled: 1 },
  },
  {
    what: 'a record that is doubled over two files (G4)',
    plant: ({ path, linesOf }) => appendFileSync(path(2), `${linesOf(0)[1]}\n`),
    found: { doubled: 1 },
  },
  {
    what: 'a value that is not the one that was acknowledged',
    plant: ({ path, linesOf }) =>
      rewrite(
        path(WITH_AN_OBJECT),
        linesOf(WITH_AN_OBJECT).map((line) => line.replace('7', '9')),
      ),
    found: (format) => (format === 'json' ? { altered: 1 } : { missing: 1 }),
  },
  {
    what: 'a file over size (G1)',
    plant: ({ addFile }) => addFile([10, 11, 12, 13, 14, 15]),
    found: { overSize: 1 },
    withoutLedger: true,
  },
  {
    what: 'a pair in one file (G2)',
    plant: ({ addFile }) => addFile([1, 7, 2]),
    found: { conflicting: 1 },
    withoutLedger: true,
  },
  {
    what: 'two of a group in one file (G2)',
    plant: () => undefined,
    env: { KEEPAPART_CONFLICTS: '[{"group":["a","b","c"],"at":"/type"},{"group":[2,4,5]}]' },
    found: { conflicting: 1 },
    withoutLedger: true,
  },
  {
    what: 'what must be distinct in one file (G2)',
    plant: ({ addFile }) =>
      addFile([
        { id: 9, n: 1 },
        { id: 9, n: 2 },
      ]),
    env: { KEEPAPART_CONFLICTS: '[{"distinct":"/id"}]' },
    found: { conflicting: 1 },
    withoutLedger: true,
  },
  {
    what: 'a last line without its end (G10)',
    plant: ({ path }) => truncateSync(path(0), readFileSync(path(0)).length - 1),
    found: { torn: 1 },
    withoutLedger: true,
  },
  {
    what: 'half a line (G10)',
    plant: ({ path }) => truncateSync(path(0), readFileSync(path(0)).length - 12),
    found: TORN_AND_MISSING,
    withoutLedger: true,
  },
  {
    what: 'a line that is garbage (G10)',
    plant: ({ path, linesOf }) => rewrite(path(0), [linesOf(0)[0] ?? '', '\0\0\0\0', ...linesOf(0).slice(2)]),
    found: TORN_AND_MISSING,
    withoutLedger: true,
  },
  {
    what: 'JSON that is no outcome (G10)',
    plant: ({ path }) => appendFileSync(path(0), '{"recordId":"r:0"}\n'),
    found: { torn: 1 },
    withoutLedger: true,
  },
  {
    what: 'bytes that are not UTF-8 (G10)',
    plant: ({ out }) =>
      writeFileSync(
        out('test_log_202601312359_batcher-0-00000009.log'),
        Buffer.from('"save ["\xff"]"', 'latin1'),
      ),
    found: { torn: 1 },
    withoutLedger: true,
  },
  {
    what: 'an empty file (G10)',
    plant: ({ out }) => writeFileSync(out('test_log_202601312359_batcher-0-00000009.log'), ''),
    found: { torn: 1 },
    withoutLedger: true,
  },
  {
    what: "a name that only begins like a batch file's (G10)",
    plant: ({ path, out }) => renameSync(path(0), out('test_log_202601312359_batcher-0-00000001.log.tmp')),
    found: { torn: 1 },
    withoutLedger: true,
  },
  {
    what: 'two files of one batch',
    plant: ({ path, out, linesOf }) => {
      rewrite(out('test_log_202602010000_batcher-0-00000001.log'), linesOf(0).slice(0, 1));
      rewrite(path(0), linesOf(0).slice(1));
    },
    found: { sameBatch: 1 },
    withoutLedger: true,
  },
];

describe.each(OUTCOME_FORMATS)('in files of the format %s', (format) => {
  test('An audit finds nothing where nothing is damaged, with and without a ledger.', async () => {
    const folder = await cleanFolder(format);
    const { code, report } = await folder.audit();
    expect(code).toBe(0);
    expect(report).toMatchObject({
      clean: true,
      checked: { maxBatchSize: 5, conflicts: [{ pair: [1, 2] }], temporal: null },
      ledger: { lines: 9, tornLines: 0 },
      files: {
        files: 3,
        acknowledged: 9,
        outcomes: { total: 9, saved: 6, rolledBack: 3, [format]: 9 },
        unacknowledged: { count: 0 },
      },
      batches: null,
    });
    const alone = await folder.audit({}, []);
    expect(alone).toMatchObject({ code: 0, damage: {}, report: { ledger: null } });
  });

  test.each(PLANTS)('$what is found', async ({ plant, env, found, withoutLedger }) => {
    const folder = await cleanFolder(format);
    await plant(folder);
    const { clean, damage } = await folder.auditHere(env);
    expect(damage).toEqual(typeof found === 'function' ? found(format) : found);
    expect(clean).toBe(false);
    if (withoutLedger !== true) return;
    const alone = await folder.auditHere(env, []);
    expect(damage).toMatchObject(alone.damage);
    expect(Object.keys(alone.damage)).toHaveLength(1);
    expect(alone.clean).toBe(false);
  });
});

// The command ends with 1 where `clean` is false, which the tests above see for each plant without starting a process.
const OF_EACH_KIND = [0, 3, 6, 7, 11, 17].flatMap((index) => PLANTS[index] ?? []);

test.each(OF_EACH_KIND)('for $what, the exit code is 1', async ({ plant, env, found }) => {
  const folder = await cleanFolder('json');
  await plant(folder);
  const { code, damage } = await folder.audit(env);
  expect(damage).toEqual(typeof found === 'function' ? found('json') : found);
  expect(code).toBe(1);
});

test('Files of both formats in one folder are matched together, line by line (G4).', async () => {
  const folder = await cleanFolder('text');
  const [, second = []] = BATCHES;
  rewrite(
    folder.path(1),
    outcomeFileContent(
      second.map((value, index) => saved({ recordId: `r:${4 + index}`, value })),
      'json',
    )
      .split('\n')
      .slice(0, -1),
  );
  expect(await folder.audit()).toMatchObject({
    code: 0,
    report: { files: { outcomes: { text: 6, json: 3 } } },
  });
  rmSync(folder.path(1));
  expect(await folder.audit()).toMatchObject({ code: 1, damage: { missing: 3 } });
});

test('Outcomes that nobody acknowledged are told and are no damage.', async () => {
  const folder = await cleanFolder('json');
  await writeLedger(join(folder.root, 'short.jsonl'), [{ recordId: 'r:0', value: 1 }]);
  const { code, report } = await folder.audit({}, ['--ledger', join(folder.root, 'short.jsonl')]);
  expect(code).toBe(0);
  expect(report.files.unacknowledged?.count).toBe(8);
});

test('Ledgers add up, and the torn end of one whose writer was killed is told, not fatal.', async () => {
  const folder = await cleanFolder('text');
  const { report } = await folder.audit();
  const lines = readFileSync(folder.ledger, 'utf8').split('\n').slice(0, -1);
  const [first, second] = [join(folder.root, 'first.jsonl'), join(folder.root, 'second.jsonl')];
  // The end of the first is whole but for its newline; that of the second is half a line.
  writeFileSync(first, lines.slice(0, 4).join('\n'));
  writeFileSync(second, `${lines.slice(4).join('\n')}\n{"recordId":"r:99","val`);
  const both = await folder.audit({}, ['--ledger', first, '--ledger', second]);
  expect(both).toMatchObject({ code: 0, report: { ledger: { lines: 9, tornLines: 1 } } });
  expect(both.report.files).toEqual(report.files);
});

test('The report for people names what was used, the files and the rules that they break.', async () => {
  const folder = await cleanFolder('text');
  await folder.addFile([1, 2]);
  await folder.audit();
  const command = startCommand(['audit', '--ledger', folder.ledger, '--out-dir', folder.out('')], {
    cwd: folder.root,
  });
  expect(await command.ended).toBe(1);
  const text = command.stdout();
  expect(text).toContain('at most 5 records a file (MAX_BATCH_SIZE), kept apart: [{"pair":[1,2]}]');
  expect(text).toMatch(/^ +11 {2}records acknowledged$/m);
  expect(text).toMatch(/^ +1 {2}files that break a rule \(G2\)$/m);
  expect(text).toContain(`${folder.files[3]}: {"pair":[1,2]} by records 1 and 2`);
  expect(text).toContain('There is damage.');
});

test.each([
  ['a ledger that is not there', ['--ledger', 'nowhere.jsonl'], 'nowhere.jsonl'],
  ['a ledger with a bad line', ['--ledger', 'bad.jsonl'], 'line 1 is not {"recordId"'],
  ['a folder that is not there', ['--out-dir', 'nowhere'], 'OUT_DIR: the folder nowhere'],
  ['a setting that is wrong', ['--max-batch-size', 'five'], '--max-batch-size'],
  ['an option that does not exist', ['--ledgr', 'x'], 'unknown option'],
])('%s is no damage but a wrong call: exit code 2', async (_, args, message) => {
  const { root } = await cleanFolder('text');
  writeFileSync(join(root, 'bad.jsonl'), 'nothing\n{"recordId":"r:0","value":1}\n');
  const command = startCommand(['audit', ...args], {
    cwd: root,
    env: { KEEPAPART_OUT_DIR: join(root, 'out') },
  });
  expect(await command.ended).toBe(2);
  expect(command.stderr()).toContain(message);
  expect(command.stdout()).toBe('');
});
