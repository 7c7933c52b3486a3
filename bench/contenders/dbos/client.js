const { DBOSClient } = require('@dbos-inc/dbos-sdk');
const { cutBatches } = require('../work/cut.ts');

/** A durable workflow per batch, enqueued side by side: each answer comes when Postgres has committed it. */
exports.connect = async (work) => {
  const client = await DBOSClient.create({ systemDatabaseUrl: work.server });
  return {
    send: (records, listId) =>
      Promise.all(
        cutBatches(records, work).map((batch, i) => {
          const workflowID = `${listId}-${i}`;
          return client.enqueue(
            { queueName: 'batches', workflowName: 'batch', workflowID },
            workflowID,
            batch,
          );
        }),
      ),
  };
};
