/*
 * Preloaded into keepapart's worker: its saves that fail on purpose are those that fail for every contender, instead of
 * a share by chance. Attempts are counted here, as in work/plain-store.ts. Everything else is the worker as it ships.
 */
require('../../../test/helpers/run-typescript.js');
const { fails, readWork } = require('../work/work.ts');
const { saveTogether } = require('../../../dist/src/domain/records/record-store.js');
const failingStore = require('../../../dist/src/store/failing-store.js');

const { failureRate } = readWork();

failingStore.createFailingStore = (inner) => {
  if (failureRate === 0) return inner;
  const attempted = new Map();
  const saved = new Set();

  /** Counts the attempt. */
  function hasToFail({ id }) {
    if (saved.has(id)) return false;
    const attempt = (attempted.get(id) ?? 0) + 1;
    attempted.set(id, attempt);
    return fails(id, attempt, failureRate);
  }
  const failure = () => new Error('failed on purpose');

  return {
    ...inner,
    async save(record, batch) {
      if (hasToFail(record.value)) throw failure();
      await inner.save(record, batch);
      saved.add(record.value.id);
    },
    async saveAll(batches) {
      const failing = batches.map(({ records }) => records.map(({ value }) => hasToFail(value)));
      const reaching = batches.map(({ batch, records }, i) => ({
        batch,
        records: records.filter((_, j) => !failing[i][j]),
      }));
      const results = await saveTogether(inner, reaching);
      return batches.map(({ records }, i) => {
        const own = [...results[i]];
        return records.map(({ value }, j) => {
          if (failing[i][j]) return { status: 'rejected', reason: failure() };
          const result = own.shift();
          if (result.status === 'fulfilled') saved.add(value.id);
          return result;
        });
      });
    },
  };
};
