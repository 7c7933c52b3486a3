import { createHash } from 'node:crypto';
import type { ReadAs } from './formats';

/**
 * The key under which a file is sent unless another is given: a digest of its bytes and of how they are read. So the same
 * records have the same key wherever the file lies and whenever it was touched: a repeat goes on, or adds nothing.
 */
export async function keyOfContent(bytes: AsyncIterable<Uint8Array>, readAs: ReadAs): Promise<string> {
  // A comma is what separates columns anyway.
  const delimiter = readAs.delimiter === ',' ? undefined : readAs.delimiter;
  const hash = createHash('sha256').update(`${JSON.stringify({ ...readAs, delimiter })}\n`);
  for await (const chunk of bytes) hash.update(chunk);
  return `import-${hash.digest('hex').slice(0, 40)}`;
}
