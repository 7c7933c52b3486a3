import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { HOUR, SECOND } from '../../../domain/duration';
import type { JsonValue } from '../../../domain/json';
import type { RecordStore } from '../../../domain/records/record-store';
import { prepareFolders, stagingRoot, unfinishedRoot, type StoreFolders } from '../../../store/folders';
import { openOwnStore, type OwnStore } from '../../../store/own/open-own-store';
import { sweep } from '../../../store/sweep';
import type { KilledWorker, Settlement, StoreUnderTest } from '../../../store/testing/subject';
import { loadOwnModule } from '../../process/own-module';

/** A module of the user's whose store is checked. */
export interface ModuleUnderTest {
  /** Its path, from the working directory. */
  module: string;
  /** STORE_OPTIONS. */
  options: JsonValue;
  /** STORE_TIMEOUT_MS; by default 30 s. */
  timeoutMs?: number | undefined;
}

/** What the process of a worker is given that is to be killed. */
export interface WorkerTask extends ModuleUnderTest {
  folders: StoreFolders;
  settlement: Settlement;
  dieAtPoint: number;
}

const VALUES: readonly JsonValue[] = [1, 2, 3, 4, 5].map((test) => ({ test }));

/**
 * Opens a store of a module.
 * @param between awaited between every two steps
 */
export async function openModule(
  { module, options, timeoutMs = 30 * SECOND }: ModuleUnderTest,
  folders: StoreFolders,
  between: () => void | Promise<void>,
): Promise<OwnStore> {
  const loaded = await loadOwnModule(module);
  const store = await openOwnStore(loaded, {
    ...{ name: module, options, folders, between, timeoutMs },
    ...{ callsAtOnce: 16, maxBatchSize: 1, onError: () => undefined },
  });
  return store.boundsItsCalls === true ? store : withSteps(store, between);
}

/** The whole port of the user's own: its steps can't be seen, so a worker is stopped before and after each call. */
function withSteps(store: OwnStore, between: () => void | Promise<void>): OwnStore {
  const stepped =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      await between();
      const result = await call(...args);
      await between();
      return result;
    };
  return {
    ...store,
    save: stepped(store.save),
    rollback: stepped(store.rollback),
    closeBatch: stepped(store.closeBatch),
    readBatch: stepped(store.readBatch),
  };
}

/** The store of a module in fresh folders, as the contract is checked with it. */
export async function subjectOf(tested: ModuleUnderTest): Promise<StoreUnderTest> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keepapart-store-test-'));
  const folders: StoreFolders = { dataDir, outDir: path.join(dataDir, 'out') };
  const open: OwnStore[] = [];
  let before: () => unknown = () => undefined;
  const worker = async (): Promise<OwnStore> => {
    const store = await openModule(tested, folders, async () => {
      await before();
    });
    open.push(store);
    return store;
  };
  const close = async (): Promise<void> => {
    await Promise.allSettled(open.map((store) => store.close()));
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await prepareFolders(folders);
    const { testing, undoes } = await worker();
    const { values = VALUES, find } = testing;
    return {
      values,
      undoes,
      ...(find !== undefined && { find: async (recordIds) => find(recordIds) }),
      worker: (): Promise<RecordStore> => worker(),
      intercept(wanted) {
        before = wanted;
        return () => (before = () => undefined);
      },
      // Stores of two workers hold nothing that the other needs, or else this waits for it.
      overOrBlocked: (call) => call.then(() => undefined),
      async leftovers() {
        await sweep(folders, Date.now() + 2 * HOUR);
        return [...(await readdir(stagingRoot(folders))), ...(await readdir(unfinishedRoot(folders)))];
      },
      killAt: (settlement, dieAtPoint) => runWorker({ ...tested, folders, settlement, dieAtPoint }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function runWorker(task: WorkerTask): Promise<KilledWorker> {
  const script = path.join(__dirname, 'worker.js');
  const child = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaints, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  const killed = signal === 'SIGKILL';
  if (code !== 0 && !killed) throw new Error(`a worker in a process of its own failed: ${complaints}`);
  return { done: output.split('\n').filter((line) => line === DONE).length, killed };
}

/** What a worker writes for each step that is done. */
export const DONE = 'keepapart: done';
