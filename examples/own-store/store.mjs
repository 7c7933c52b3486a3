// A store of one's own: a file for each record, in a folder. Whatever can be written by id will do.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { defineStore } from 'keepapart/store';

const folder = process.env.SAVED ?? 'saved';
const pathOf = (id) => `${folder}/${createHash('sha256').update(id).digest('hex')}.json`;

export default defineStore({
  async saveBatch(records, { signal }) {
    await mkdir(folder, { recursive: true });
    return Promise.all(
      records.map(async ({ recordId, value }) => {
        if (value === null) return { outcome: 'rejected', reason: 'null is no record' };
        // The same file however often it is saved: that is what makes it idempotent.
        await writeFile(pathOf(recordId), JSON.stringify({ recordId, value }), { signal, flush: true });
        return 'saved';
      }),
    );
  },
  async undo(records) {
    await Promise.all(records.map(({ recordId }) => rm(pathOf(recordId), { force: true })));
  },
  testing: { find: (recordIds) => recordIds.filter((id) => existsSync(pathOf(id))) },
});
