/*
 * Preloaded into keepapart's worker: its saves that fail on purpose are those that fail for every contender, instead of
 * a share by chance. Attempts are counted here, as in work/plain-store.ts. Everything else is the worker as it ships.
 */
require('../../../test/helpers/run-typescript.js');
const { fails, readWork } = require('../work/work.ts');
const failingStore = require('../../../dist/src/store/failing-store.js');

const { failureRate } = readWork();

failingStore.createFailingStore = (inner) => {
  if (failureRate === 0) return inner;
  const attempted = new Map();
  const saved = new Set();
  return {
    ...inner,
    async save(record, batch) {
      const { id } = record.value;
      if (!saved.has(id)) {
        const attempt = (attempted.get(id) ?? 0) + 1;
        attempted.set(id, attempt);
        if (fails(id, attempt, failureRate)) throw new Error('failed on purpose');
      }
      await inner.save(record, batch);
      saved.add(id);
    },
  };
};
