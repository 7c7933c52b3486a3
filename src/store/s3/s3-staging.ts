import { createHash } from 'node:crypto';
import type { BatchRef } from '../../domain/records/batch';
import type { KeptRecord } from '../../domain/records/record';
import { batchName } from '../batch-files';
import type { Bucket } from './bucket';

/** Below it are records that are saved and whose batch isn't closed. */
export const STAGING = 'staging/';

/** Of a record's id, in characters of Base64: enough that no two ids of a batch share it. */
const DIGEST_LENGTH = 12;

/** So that the last part of a key has at most 240 characters: some servers keep it as the name of a file. */
const DIGESTS_PER_KEY = 20;

/** How often a rollback looks whether another one, at the same time, has put its record back. */
const ROLLBACK_ROUNDS = 5;

/** A staged object, and which records are in it. */
interface StagedObject {
  key: string;
  digests: string[];
}

/**
 * Records that are saved and whose batch isn't closed, in objects `staging/<batch>/<digests of the records' ids>`. A save
 * is one request for up to twenty records, and one listing tells which records of a batch are there, without reading any.
 * The same save always writes the same object, so repeating it changes nothing.
 */
export function createS3Staging(bucket: Bucket) {
  async function put(batch: BatchRef, records: readonly KeptRecord[]): Promise<string[]> {
    return Promise.all(
      inChunks(records).map(async (some) => {
        const key = `${folderOf(batch)}${some.map(digestOf).join('')}`;
        const lines = some.map((record) => `${JSON.stringify(record)}\n`).join('');
        await bucket.put(key, Buffer.from(lines), 'application/x-ndjson');
        return key;
      }),
    );
  }

  async function list(batch: BatchRef): Promise<StagedObject[]> {
    const found: StagedObject[] = [];
    for await (const { key } of bucket.list(folderOf(batch))) {
      const digests = key.slice(folderOf(batch).length).match(/.{12}/g) ?? [];
      found.push({ key, digests });
    }
    return found;
  }

  async function remove(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => bucket.remove(key)));
  }

  /**
   * Removes records, and leaves the others of the same objects, which are written before those objects go.
   * @returns the objects that were written for that
   */
  async function take(batch: BatchRef, records: readonly KeptRecord[]): Promise<string[]> {
    const gone = new Set(records.map(digestOf));
    const written: string[] = [];
    for (let round = 1; round <= ROLLBACK_ROUNDS; round++) {
      const having = (await list(batch)).filter(({ digests }) => digests.some((digest) => gone.has(digest)));
      if (having.length === 0) return written;
      for (const { key, digests } of having) {
        const stays = digests.filter((digest) => !gone.has(digest));
        if (stays.length > 0) written.push(...(await keep(batch, key, stays)));
      }
      await remove(having.map(({ key }) => key));
    }
    return written;
  }

  async function keep(batch: BatchRef, key: string, stays: readonly string[]): Promise<string[]> {
    const lines = Buffer.from((await bucket.read(key)) ?? '')
      .toString()
      .split('\n')
      .slice(0, -1);
    const records = lines.map((line) => JSON.parse(line) as KeptRecord);
    return put(
      batch,
      records.filter((record) => stays.includes(digestOf(record))),
    );
  }

  return { put, list, remove, take };
}

/** Those of the records that none of the objects has. */
export function notIn(staged: readonly StagedObject[], records: readonly KeptRecord[]): KeptRecord[] {
  const there = new Set(staged.flatMap(({ digests }) => digests));
  return records.filter((record) => !there.has(digestOf(record)));
}

/** The name of the batch, as of its file, whose staging has this key. */
export function batchNameIn(key: string): string | undefined {
  return /^staging\/([^/]+)\//.exec(key)?.[1];
}

function folderOf(batch: BatchRef): string {
  return `${STAGING}${batchName(batch)}/`;
}

function digestOf({ recordId }: Pick<KeptRecord, 'recordId'>): string {
  return createHash('sha256').update(recordId).digest('base64url').slice(0, DIGEST_LENGTH);
}

function inChunks(records: readonly KeptRecord[]): KeptRecord[][] {
  const count = Math.ceil(records.length / DIGESTS_PER_KEY);
  return Array.from({ length: count }, (_, i) =>
    records.slice(i * DIGESTS_PER_KEY, (i + 1) * DIGESTS_PER_KEY),
  );
}
