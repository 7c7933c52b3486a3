import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { BatchRef } from '../../domain/records/batch';
import { KeepapartError } from '../../domain/errors';
import { batchName } from '../batch-files';
import type { Bucket } from './bucket';

/** How closed batches are compressed: settled once for a prefix, as it is part of their keys. */
export const COMPRESSIONS = ['none', 'gzip'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Below it are closed batches. */
const CLOSED = 'batches/';

const TYPES = { none: 'application/x-ndjson', gzip: 'application/gzip' };
const ENDINGS = { none: '.jsonl', gzip: '.jsonl.gz' };

const [zip, unzip] = [promisify(gzip), promisify(gunzip)];

/** A closed batch. */
export interface BatchObject {
  /** As of its file, without the ending. */
  name: string;
  /** One line per record, as in a batch file of the format `json`. */
  content: string;
  modifiedAtMs: number;
}

/**
 * Closed batches, each one object `batches/date=2026-01-31/<batch>.jsonl` or `.jsonl.gz`, which is written once and never
 * again (G10).
 */
export function createBatchObjects(bucket: Bucket, compression: Compression) {
  const keyOf = (name: string): string => `${CLOSED}date=${dateIn(name)}/${name}${ENDINGS[compression]}`;

  async function read(key: string): Promise<string | undefined> {
    const bytes = await bucket.read(key);
    if (bytes === undefined) return undefined;
    return (compression === 'gzip' ? await unzip(bytes) : Buffer.from(bytes)).toString();
  }

  /**
   * Whether the batch is closed with this content.
   * @throws `batch-file-conflict` (retried) when it is closed with another
   */
  async function holds(batch: BatchRef, content: string): Promise<boolean> {
    const found = await read(keyOf(batchName(batch)));
    if (found !== undefined && found !== content) throw closedOtherwise(batch);
    return found !== undefined;
  }

  return {
    holds,

    exists: (name: string): Promise<boolean> => bucket.exists(keyOf(name)),

    read: (batch: BatchRef): Promise<string | undefined> => read(keyOf(batchName(batch))),

    /** Returns when the batch is closed with this content, whoever did it; at most one content ever is. */
    async publish(batch: BatchRef, content: string): Promise<void> {
      const plain = Buffer.from(content);
      const body = compression === 'gzip' ? await zip(plain) : plain;
      if (await bucket.create(keyOf(batchName(batch)), body, TYPES[compression])) return;
      if (!(await holds(batch, content)))
        throw new Error(`the object of batch ${batch.batchId} was there, and is gone again`);
    },

    /** Every closed batch, by date and name, some read at once. */
    async *all(atOnce: number): AsyncGenerator<BatchObject> {
      let page: { key: string; modifiedAtMs: number }[] = [];
      const contents = () =>
        Promise.all(
          page.map(async ({ key, modifiedAtMs }) => {
            const content = await read(key);
            // Whoever removes objects may do so at this moment.
            return content === undefined ? [] : [{ name: nameIn(key), content, modifiedAtMs }];
          }),
        );
      for await (const listed of bucket.list(CLOSED)) {
        if (listed.key.endsWith(ENDINGS[compression])) page.push(listed);
        if (page.length < atOnce) continue;
        yield* (await contents()).flat();
        page = [];
      }
      yield* (await contents()).flat();
    },
  };

  function nameIn(key: string): string {
    return key.slice(key.lastIndexOf('/') + 1, -ENDINGS[compression].length);
  }
}

/** Of `test_log_<YYYYMMDDHHMM>_<batchId>`: `YYYY-MM-DD`, so that whoever reads days finds them. */
function dateIn(name: string): string {
  return name.replace(/^test_log_(\d{4})(\d{2})(\d{2}).*$/s, '$1-$2-$3');
}

export function closedOtherwise({ batchId }: BatchRef): KeepapartError {
  return new KeepapartError(
    'batch-file-conflict',
    `batch ${batchId} is closed in S3 already, with other outcomes; they stay as they are`,
  );
}
