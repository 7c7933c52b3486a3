import { createReadStream } from 'node:fs';
import type { createLedger } from '../domain/audit/ledger';
import { KeepapartError } from '../domain/errors';
import { describeErrno } from './durable-fs';

/**
 * Reads a ledger line by line. An incomplete last line is noted rather than refused, because its writer was killed.
 * @throws `invalid-config` if it can't be read or contains an invalid line: half a ledger audits nothing
 */
export async function readLedger(path: string, into: ReturnType<typeof createLedger>): Promise<void> {
  let number = 0;
  let rest = '';
  try {
    for await (const chunk of createReadStream(path, 'utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        number++;
        const problem = into.add(line);
        if (problem !== undefined) throw badLedger(path, `line ${number} ${problem}`);
      }
    }
  } catch (error) {
    if (error instanceof KeepapartError) throw error;
    throw badLedger(path, describeErrno(error), error);
  }
  // A line may be complete although its newline was lost.
  if (rest !== '' && into.add(rest) !== undefined) into.addTorn();
}

function badLedger(path: string, reason: string, cause?: unknown): KeepapartError {
  return new KeepapartError('invalid-config', `The ledger ${path} can't be used: ${reason}`, { cause });
}
