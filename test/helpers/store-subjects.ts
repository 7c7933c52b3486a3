import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RecordStore } from '../../src/domain/records/record-store';
import { HOUR } from '../../src/domain/duration';
import { createEndpoint } from '../../src/store/http/endpoint';
import type { BatchSaver } from '../../src/store/own/definition';
import { createSavingStore, type SavingStoreOptions } from '../../src/store/own/saving-store';
import { sweep } from '../../src/store/sweep';
import type { StoreUnderTest } from '../../src/store/testing/subject';
import type { KeptRecord } from '../../src/domain/records/record';
import type { StoreHarness } from './store-harness';
import { storeFolders } from './store-folders';

const VALUES = [1, 'two', { three: 3 }, [4], null];

/** One of our own stores, which are tested at each call into the file system or the database. */
export function subjectOf(harness: StoreHarness): StoreUnderTest {
  return {
    values: VALUES,
    undoes: true,
    worker: () => harness.worker(),
    intercept: (before) => harness.intercept(before),
    overOrBlocked: (call) => harness.overOrBlocked(call),
    async leftovers() {
      await harness.sweep();
      return harness.leftovers();
    },
    close: () => harness.close(),
  };
}

/** Folders, and stores around code in them. */
export async function savingHarness(saver: BatchSaver, options: Partial<SavingStoreOptions> = {}) {
  const folders = await storeFolders();
  let before: () => unknown = () => undefined;
  const errors: unknown[] = [];
  const worker = (): RecordStore =>
    createSavingStore(saver, {
      folders,
      timeoutMs: 10_000,
      callsAtOnce: 16,
      maxBatchSize: 1,
      onError: (error) => errors.push(error),
      between: async () => {
        await before();
      },
      ...options,
    });
  return {
    folders,
    errors,
    worker,
    intercept: (wanted: () => unknown) => {
      before = wanted;
      return () => void (before = () => undefined);
    },
  };
}

/** A store around code, as its contract is checked. */
export async function savingSubject(
  saver: BatchSaver,
  find: (recordIds: readonly string[]) => Promise<readonly string[]>,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<StoreUnderTest> {
  const { folders, worker, intercept } = await savingHarness(saver);
  return {
    values: VALUES,
    undoes: true,
    find,
    worker: () => Promise.resolve(worker()),
    intercept,
    overOrBlocked: (call) => call.then(() => undefined),
    async leftovers() {
      await sweep(folders, Date.now() + 2 * HOUR);
      return [
        ...readdirSync(join(folders.dataDir, 'staging')),
        ...readdirSync(join(folders.outDir, '.unfinished')),
      ];
    },
    close,
  };
}

/** Code that keeps records in memory, as often as it is given them when they have another id. */
export function memorySaver() {
  const kept = new Map<string, KeptRecord>();
  const calls: { name: string; ids: string[]; attempt: number }[] = [];
  const saver = {
    saveBatch(records: readonly KeptRecord[], { attempt }: { attempt: number }) {
      calls.push({ name: 'saveBatch', ids: records.map(({ recordId }) => recordId), attempt });
      for (const record of records) kept.set(record.recordId, record);
      return Promise.resolve(records.map(() => 'saved' as const));
    },
    undo(records: readonly KeptRecord[]) {
      calls.push({ name: 'undo', ids: records.map(({ recordId }) => recordId), attempt: 1 });
      for (const { recordId } of records) kept.delete(recordId);
    },
  };
  const find = (ids: readonly string[]) => Promise.resolve(ids.filter((id) => kept.has(id)));
  return { saver, kept, calls, find };
}

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** The contract's subject for an endpoint that keeps records in memory. */
export async function endpointSubject(): Promise<StoreUnderTest> {
  const { saver, find } = memorySaver();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { type, data } = JSON.parse(Buffer.concat(parts).toString()) as {
        type: string;
        data: { records: KeptRecord[]; attempt: number };
      };
      if (type === 'batch.undo') saver.undo(data.records);
      else void saver.saveBatch(data.records, data);
      response.writeHead(204).end();
    });
  });
  const url = await listening(server);
  const endpoint = createEndpoint({ url, secrets: [SECRET], allowsPrivate: true });
  return savingSubject(endpoint, find, async () => {
    await endpoint.close();
    await new Promise((resolve) => server.close(resolve));
  });
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
