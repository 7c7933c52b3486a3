const { Logger, run } = require('graphile-worker');
const { createPlainStore } = require('../work/plain-store.ts');
const { benchOutcome, readWork } = require('../work/work.ts');

const work = readWork();
const store = createPlainStore(work);

/**
 * A job per batch. Its own retries wait e, e², … seconds, so the interval of a record's attempts is a job that follows:
 * with the outcomes so far, under the batch's key, so that a repeated job adds it once.
 */
async function batch({ batchId, records, outcomes = {}, attempt = 1 }, helpers) {
  const failed = [];
  await Promise.all(
    records.map(async (record) => {
      if (outcomes[record.id] !== undefined) return;
      try {
        outcomes[record.id] = benchOutcome(record, { attempts: await store.save(record) });
      } catch (error) {
        if (attempt < work.maxAttempts) failed.push(record.id);
        else outcomes[record.id] = benchOutcome(record, { attempts: attempt, error: error.message });
      }
    }),
  );
  if (failed.length > 0) {
    const next = { batchId, records, outcomes, attempt: attempt + 1 };
    const runAt = new Date(Date.now() + work.retryIntervalMs);
    await helpers.addJob('batch', next, { runAt, jobKey: `${batchId}-${attempt + 1}` });
    return;
  }
  await store.close(
    batchId,
    records.map(({ id }) => outcomes[id]),
  );
}

async function main() {
  // As its page on performance has it: jobs are fetched and completed in batches.
  await run({
    taskList: { batch },
    logger: new Logger(() => () => undefined),
    preset: {
      worker: {
        connectionString: work.server,
        concurrentJobs: 24,
        maxPoolSize: 25,
        pollInterval: 500,
        localQueue: { size: 100 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  console.log('worker is up');
}

void main();
