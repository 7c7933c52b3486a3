import { appendFile } from 'node:fs/promises';
import type { SettledRecord } from '../../src/domain/records/outcome';
import { batchFileName, outcomeFileContent } from '../../src/domain/records/outcome';
import type { RecordStore } from '../../src/domain/records/record-store';

/** A line of the journal: a batch file that might have been. */
export interface JournalEntry {
  name: string;
  content: string;
}

/**
 * A store in memory: it syncs nothing and takes no time, to find what the rest can do. What it closed is appended to a
 * journal, from which an audit reads it; a batch that is closed again is there twice, as nothing is fenced here.
 */
export function createJournalStore(journal: string): RecordStore {
  const closed = new Map<string, SettledRecord[]>();
  return {
    save: () => Promise.resolve(),
    rollback: () => Promise.resolve(),
    async closeBatch(batch, records, format) {
      const location = batchFileName(batch);
      if (!closed.has(location)) {
        closed.set(location, [...records]);
        const entry: JournalEntry = { name: location, content: outcomeFileContent(records, format) };
        await appendFile(journal, `${JSON.stringify(entry)}\n`);
      }
      return { location };
    },
    readBatch(batch) {
      const location = batchFileName(batch);
      const records = closed.get(location);
      return Promise.resolve(records && { location, records });
    },
  };
}
