const { makeWorkerUtils } = require('graphile-worker');
const { cutBatches } = require('../work/cut.ts');

/** A job per batch; all of a list in one statement. */
exports.connect = async (work) => {
  const utils = await makeWorkerUtils({ connectionString: work.server });
  await utils.migrate();
  return {
    send: (records, listId) =>
      utils.addJobs(
        cutBatches(records, work).map((batch, i) => ({
          identifier: 'batch',
          payload: { batchId: `${listId}-${i}`, records: batch },
          maxAttempts: 25,
        })),
      ),
  };
};
