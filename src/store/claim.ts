import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tolerate } from './durable-fs';

/** What a folder gets for taking the place of one that isn't empty, by file system. */
const TAKEN = ['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'];

const CONTENT = 'content';

/** Ends the name of a claim in the folder of unfinished files. */
export const CLAIM_ENDING = '.claim';

/**
 * Decides which content a file shall have where there are no hard links, by which its name could be taken once: a folder
 * holding the content takes the claim's name, which fails when another one has.
 * @param temporary a file with the wanted content, durably written; it is used up
 * @returns the content that has the claim now, wanted or not
 */
export async function claimContent(claim: string, temporary: string): Promise<Buffer> {
  const own = `${temporary}.claiming`;
  await mkdir(own);
  try {
    await rename(temporary, join(own, CONTENT));
    await tolerate(TAKEN, rename(own, claim));
  } finally {
    // Where it has become the claim, nothing is left here.
    await rm(own, { recursive: true, force: true });
  }
  return readFile(join(claim, CONTENT));
}
