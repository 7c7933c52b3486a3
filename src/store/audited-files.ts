import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditedFile } from '../domain/audit/audit';
import { KeepapartError } from '../domain/errors';
import { portions } from '../domain/portions';
import { batchFilesIn } from './batch-files';
import { describeErrno, hasErrno } from './durable-fs';

/** How many files are read at once. */
const READS_AT_ONCE = 16;
/** Longer values are replaced by their digests. */
const MAX_KEY_LENGTH = 80;

/** A batch file's name, or a name that starts like one. */
export interface AuditedName {
  name: string;
  batchId: string | undefined;
}

/**
 * The names that an audit checks: all batch files, and other files that are named like one.
 * @throws `invalid-config` if the folder can't be listed: a wrong OUT_DIR must not look like an empty one
 */
export async function auditedNames(outDir: string): Promise<AuditedName[]> {
  try {
    // In this order, so that a file published in between is not mistaken for a foreign one.
    const names = (await readdir(outDir)).filter((name) => name.startsWith('test_log_'));
    const batchIds = new Map((await batchFilesIn(outDir)).map(({ name, batchId }) => [name, batchId]));
    return names.sort().map((name) => ({ name, batchId: batchIds.get(name) }));
  } catch (cause) {
    const detail = `OUT_DIR: the folder ${outDir} can't be listed: ${describeErrno(cause)}`;
    throw new KeepapartError('invalid-config', detail, { cause });
  }
}

const GONE = { problem: 'it was removed while the audit ran' };

/** Reads files, several at once, and yields them in order. */
export async function* readAuditedFiles(
  outDir: string,
  names: readonly AuditedName[],
): AsyncGenerator<AuditedFile> {
  for (const together of portions(names, { items: READS_AT_ONCE })) {
    yield* await Promise.all(
      together.map(async (named) => ({
        ...named,
        content: (await readAuditedFile(outDir, named.name)) ?? GONE,
      })),
    );
  }
}

/** The whole text of a file, byte for byte, or why it can't be read; undefined if there is no such file. */
export async function readAuditedFile(
  outDir: string,
  name: string,
): Promise<string | { problem: string } | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(outDir, name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    return { problem: `it can't be read: ${describeErrno(error)}` };
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { problem: 'it is not UTF-8' };
  }
}

/** A value's canonical text, or a digest of a long one, so that large values aren't kept in memory. */
export function valueKey(canonical: string): string {
  if (canonical.length <= MAX_KEY_LENGTH) return canonical;
  // No JSON starts like this.
  return `sha256:${createHash('sha256').update(canonical).digest('hex')}`;
}
