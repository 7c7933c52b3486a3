import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tolerate } from './durable-fs';

/** Errors for renaming a folder to one that isn't empty, by file system. */
const TAKEN = ['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'];

const CONTENT = 'content';

/** Extension of a claim in the folder of unfinished files. */
export const CLAIM_ENDING = '.claim';

/**
 * Decides which content a file gets where there are no hard links to decide it: a folder with the content is renamed to the
 * claim's name, which fails if there is a claim already.
 * @param temporary a file with the wanted content, durably written; it is moved
 * @returns the claimed content, whether or not it is the wanted one
 */
export async function claimContent(claim: string, temporary: string): Promise<Buffer> {
  const own = `${temporary}.claiming`;
  await mkdir(own);
  try {
    await rename(temporary, join(own, CONTENT));
    await tolerate(TAKEN, rename(own, claim));
  } finally {
    // Nothing is left here if it became the claim.
    await rm(own, { recursive: true, force: true });
  }
  return readFile(join(claim, CONTENT));
}
