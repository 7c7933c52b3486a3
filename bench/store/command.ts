import { open } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BatchRef } from '../../src/domain/records/batch';
import { OUTCOME, type SettledRecord } from '../../src/domain/records/outcome';
import {
  closeTogether,
  saveTogether,
  type RecordStore,
  type SettledBatch,
} from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { prepareFolders } from '../../src/store/folders';
import { markdownTable, median } from '../harness/figures';
import { diskFolder } from '../harness/folders';

const HELP = `npm run bench -- store [options]

How many records a second the file store takes, in batches of five, one file per batch: against appending each to a file
and syncing it, which is the least that a durable save can cost. In turns, several rounds, on the disk of TMPDIR.

  --records <n>   records of one measurement (default 2000)
  --rounds <n>    rounds (default 3)
`;

const BATCH_SIZE = 5;

/** Brings so many records to the disk, in an empty folder of its own. */
type Way = (folder: string, records: number) => Promise<void>;

const WAYS: Record<string, Way> = {
  'append and sync, one by one': (folder, records) => appendAndSync(folder, records, 1),
  'append and sync, to 20 files at once': (folder, records) => appendAndSync(folder, records, 20),
  'a save for each record, a closing for each batch, 50 batches at once': (folder, records) =>
    throughStore(folder, records, { atOnce: 50, together: false }),
  'a save for each record, together with others, 20 batches closed together': (folder, records) =>
    throughStore(folder, records, { atOnce: 20, together: true, each: true }),
  'a save for each batch, 20 closed together': (folder, records) =>
    throughStore(folder, records, { atOnce: 20, together: true }),
  'a save for each batch, 100 closed together': (folder, records) =>
    throughStore(folder, records, { atOnce: 100, together: true }),
};

async function appendAndSync(folder: string, records: number, files: number): Promise<void> {
  const append = async (file: number): Promise<void> => {
    const handle = await open(path.join(folder, `raw-${file}`), 'a');
    for (let i = file; i < records; i += files) {
      await handle.write(`${JSON.stringify({ recordId: `request:${i}`, value: i })}\n`);
      await handle.sync();
    }
    await handle.close();
  };
  await Promise.all(Array.from({ length: files }, (_, file) => append(file)));
}

async function throughStore(
  folder: string,
  records: number,
  { atOnce, together, each = false }: { atOnce: number; together: boolean; each?: boolean },
): Promise<void> {
  const folders = { dataDir: path.join(folder, 'data'), outDir: path.join(folder, 'out') };
  await prepareFolders(folders);
  const store = createFileStore(folders);
  const batches = batchesOf(records);
  if (together) {
    await inWaves(store, batches, { atOnce, each });
    return;
  }
  const left = [...batches];
  const inTurn = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { batch, records } = next;
      await Promise.all(records.map((record) => store.save(record, batch)));
      await store.closeBatch(batch, records, 'text');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
}

/** Saves and closes so many batches together, one wave after another. */
export async function inWaves(
  store: RecordStore,
  batches: readonly SettledBatch[],
  { atOnce, each = false }: { atOnce: number; each?: boolean },
): Promise<void> {
  const left = [...batches];
  while (left.length > 0) {
    const wave = left.splice(0, atOnce);
    const results = await Promise.all(
      wave.flatMap(({ batch, records }) =>
        (each ? records.map((one) => [one]) : [records]).map((set) =>
          saveTogether(store, [{ batch, records: set }]),
        ),
      ),
    );
    for (const result of [...results.flat(2), ...(await closeTogether(store, wave, 'text'))])
      if (result.status === 'rejected') throw result.reason;
  }
}

/** Batches of five with so many records, all of them saved. */
export function batchesOf(records: number): SettledBatch[] {
  return Array.from({ length: Math.ceil(records / BATCH_SIZE) }, (_, seq) => batchOf(seq));
}

function batchOf(seq: number): SettledBatch {
  const batch: BatchRef = { batchId: `bench-0-${String(seq + 1).padStart(8, '0')}`, openedAtMs: Date.now() };
  const records = Array.from({ length: BATCH_SIZE }, (_, i): SettledRecord => {
    const index = seq * BATCH_SIZE + i;
    return {
      recordId: `request:${index}`,
      value: index,
      outcome: OUTCOME.saved,
      attempts: 1,
      atMs: Date.now(),
    };
  });
  return { batch, records };
}

/** `npm run bench -- store`. @returns the exit code */
export async function storeBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      records: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '3' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const records = Number(values.records);
  const perSecond = new Map<string, number[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, way] of Object.entries(WAYS)) {
      const folder = await diskFolder();
      const startedAtMs = performance.now();
      await way(folder, records);
      const rate = (records * 1000) / (performance.now() - startedAtMs);
      perSecond.set(name, [...(perSecond.get(name) ?? []), rate]);
      process.stderr.write(`${name}: ${Math.round(rate)}/s\n`);
    }
  }
  const [raw] = [...perSecond.values()].map(median);
  const rows = [...perSecond].map(([name, rates]) => [
    name,
    String(Math.round(median(rates))),
    `${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))}`,
    (median(rates) / (raw ?? NaN)).toFixed(2),
  ]);
  process.stdout.write(`${markdownTable(['', 'records/s', 'from to', '× one by one'], rows)}\n`);
  return 0;
}
