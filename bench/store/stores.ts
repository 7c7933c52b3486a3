import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { RecordStore } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { prepareFolders, type StoreFolders } from '../../src/store/folders';
import { createEndpoint } from '../../src/store/http/endpoint';
import type { BatchSaver } from '../../src/store/own/definition';
import { createSavingStore } from '../../src/store/own/saving-store';
import { openPostgresStore } from '../../src/store/postgres/postgres-store';
import { openS3Store } from '../../src/store/s3/s3-store';
import { startPostgres } from '../../test/helpers/postgres-server';
import { buildS3Binary } from '../../test/helpers/s3-binary';
import { startS3 } from '../../test/helpers/s3-server';
import { markdownTable, median, spread } from '../harness/figures';
import { diskFolder } from '../harness/folders';
import { batchesOf, inWaves } from './command';

const HELP = `npm run bench -- stores [options]

How many records a second each store takes, in batches of five, 20 batches saved and closed together: files, Postgres, a
store of one's own and an HTTP endpoint that do nothing, and S3. Servers are real ones on this machine; all data is on the
disk of TMPDIR. In turns, several rounds.

  --records <n>   records of one measurement (default 2000)
  --rounds <n>    rounds (default 3)
`;

const AT_ONCE = 20;
const CALLS_AT_ONCE = 16;
const TIMEOUT_MS = 30_000;
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

/** A store in empty folders, and what ends it. */
interface Opened {
  store: RecordStore;
  close(): Promise<void> | void;
}

function around(saver: BatchSaver, folders: StoreFolders): RecordStore {
  return createSavingStore(saver, {
    folders,
    timeoutMs: TIMEOUT_MS,
    callsAtOnce: CALLS_AT_ONCE,
    maxBatchSize: 5,
    onError: (error) => {
      throw error;
    },
  });
}

/** Each store, with its server for the whole run. */
async function setUp() {
  const disk = await diskFolder();
  const postgres = await startPostgres();
  const s3 = await startS3({ binary: buildS3Binary(), root: disk });
  const receiver = fork(path.join(__dirname, 'receiver.js'));
  const [port] = (await once(receiver, 'message')) as [number];
  let opened = 0;

  const stores: Record<string, (folders: StoreFolders) => Promise<Opened>> = {
    files: (folders) => Promise.resolve({ store: createFileStore(folders), close: () => undefined }),
    Postgres: async ({ outDir }) => {
      const store = await openPostgresStore({
        url: postgres.url,
        where: 'bench',
        schema: `bench_${++opened}`,
        statement: '',
        keyPointer: '',
        poolSize: 10,
        timeoutMs: TIMEOUT_MS,
        outDir,
      });
      return { store, close: () => store.close() };
    },
    "a store of one's own that does nothing": (folders) => {
      const saver: BatchSaver = { saveBatch: (records) => Promise.resolve(records.map(() => 'saved')) };
      return Promise.resolve({ store: around(saver, folders), close: () => undefined });
    },
    'an HTTP endpoint that does nothing': (folders) => {
      const url = `http://127.0.0.1:${port}/`;
      const endpoint = createEndpoint({ url, secrets: [SECRET], allowsPrivate: true });
      return Promise.resolve({ store: around(endpoint, folders), close: () => endpoint.close() });
    },
    S3: async ({ outDir }) => {
      const store = await openS3Store({
        bucket: s3.bucket,
        prefix: `bench-${++opened}/`,
        region: '',
        endpoint: s3.endpoint,
        pathStyle: true,
        timeoutMs: TIMEOUT_MS,
        requestsAtOnce: CALLS_AT_ONCE,
        compression: 'none',
        where: 'bench',
        outDir,
      });
      return { store, close: () => store.close() };
    },
  };
  return {
    stores,
    async close() {
      receiver.kill();
      await Promise.all([postgres.remove(), s3.remove()]);
    },
  };
}

/** Records per second of one measurement. */
async function measure(open: (folders: StoreFolders) => Promise<Opened>, records: number): Promise<number> {
  const folder = await diskFolder();
  const folders = { dataDir: path.join(folder, 'data'), outDir: path.join(folder, 'out') };
  await prepareFolders(folders);
  const { store, close } = await open(folders);
  try {
    const startedAtMs = performance.now();
    await inWaves(store, batchesOf(records), { atOnce: AT_ONCE });
    return (records * 1000) / (performance.now() - startedAtMs);
  } finally {
    await close();
  }
}

/** `npm run bench -- stores`. @returns the exit code */
export async function storesBench(args: string[]): Promise<number> {
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
  const { stores, close } = await setUp();
  const perSecond = new Map<string, number[]>();
  try {
    // The first round is for code that is still being compiled.
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [name, open] of Object.entries(stores)) {
        const rate = await measure(open, Number(values.records));
        if (round > 0) perSecond.set(name, [...(perSecond.get(name) ?? []), rate]);
        process.stderr.write(`${name}: ${Math.round(rate)}/s\n`);
      }
    }
  } finally {
    await close();
  }
  const [files = NaN] = [...perSecond.values()].map(median);
  const rows = [...perSecond].map(([name, rates]) => [
    name,
    String(Math.round(median(rates))),
    spread(rates),
    (median(rates) / files).toFixed(2),
  ]);
  process.stdout.write(`${markdownTable(['', 'records/s', 'from to', '× files'], rows)}\n`);
  return 0;
}
