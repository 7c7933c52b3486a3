const { DBOS } = require('@dbos-inc/dbos-sdk');
const { createPlainStore } = require('../work/plain-store.ts');
const { benchOutcome, readWork } = require('../work/work.ts');

const work = readWork();
const store = createPlainStore(work);
const retries = {
  retriesAllowed: true,
  maxAttempts: work.maxAttempts,
  intervalSeconds: work.retryIntervalMs / 1000,
  backoffRate: 1,
};

/** A step per record, side by side, each with its own retries, and one for the file. */
async function batch(batchId, records) {
  const saved = await Promise.allSettled(
    records.map((record) => DBOS.runStep(() => store.save(record), { name: 'save', ...retries })),
  );
  const outcomes = records.map((record, i) =>
    saved[i].status === 'fulfilled'
      ? benchOutcome(record, { attempts: saved[i].value })
      : benchOutcome(record, { attempts: work.maxAttempts, error: String(saved[i].reason) }),
  );
  await DBOS.runStep(() => store.close(batchId, outcomes), { name: 'close' });
}

async function main() {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: work.server,
    systemDatabasePoolSize: 20,
    logLevel: 'error',
  });
  DBOS.registerWorkflow(batch, { name: 'batch' });
  await DBOS.launch();
  // The default of a poll a second would be the limit of what it does.
  await DBOS.registerQueue('batches', { workerConcurrency: 50, minPollingIntervalMs: 50 });
  console.log('worker is up');
}

void main();
