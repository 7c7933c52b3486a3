const { FlowProducer, Queue } = require('bullmq');
const { cutBatches } = require('../work/cut.ts');
const { BATCHES, RECORDS, connectionTo } = require('./names.js');

/** All jobs of a list are added in one transaction, which Redis answers when it is on disk (`appendfsync always`). */
exports.connect = async (work) => {
  const connection = connectionTo(work.server);
  const retries = {
    attempts: work.maxAttempts,
    backoff: { type: 'fixed', delay: work.retryIntervalMs },
    removeOnComplete: true,
    ignoreDependencyOnFailure: true,
  };
  const ended = { removeOnComplete: true };
  const batchesOf = (records, listId) =>
    cutBatches(records, work).map((batch, i) => ({ batchId: `${listId}-${i}`, records: batch }));

  if (work.kind === 'batch') {
    const queue = new Queue(BATCHES, { connection });
    return {
      send: (records, listId) =>
        queue.addBulk(
          batchesOf(records, listId).map((data) => ({
            name: 'batch',
            data,
            opts: { ...ended, jobId: data.batchId },
          })),
        ),
    };
  }
  const flows = new FlowProducer({ connection });
  return {
    send: (records, listId) =>
      flows.addBulk(
        batchesOf(records, listId).map((data) => ({
          name: 'close',
          queueName: BATCHES,
          data,
          opts: { ...ended, jobId: data.batchId },
          children: data.records.map((record) => ({
            name: 'save',
            queueName: RECORDS,
            data: record,
            opts: { ...retries, jobId: `r-${record.id}` },
          })),
        })),
      ),
  };
};
