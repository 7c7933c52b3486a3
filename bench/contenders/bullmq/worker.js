const { DelayedError, Worker } = require('bullmq');
const { createPlainStore } = require('../work/plain-store.ts');
const { benchOutcome, readWork } = require('../work/work.ts');
const { BATCHES, RECORDS, connectionTo } = require('./names.js');

const work = readWork();
const store = createPlainStore(work);
const connection = connectionTo(work.server);
/** Jobs at once. 20, 50 and 100 were tried: within noise of each other. */
const CONCURRENCY = 50;

/** A job per record: BullMQ counts its attempts and waits between them. */
async function saveRecord({ data: record }) {
  return { attempts: await store.save(record) };
}

/** The parent: runs when all records are saved or exhausted. */
async function closeBatch(job) {
  const { batchId, records } = job.data;
  const saved = await job.getChildrenValues();
  const outcomes = records.map((record) => {
    const { attempts } = saved[`bull:${RECORDS}:r-${record.id}`] ?? {};
    return attempts === undefined
      ? benchOutcome(record, { attempts: work.maxAttempts, error: 'save failed' })
      : benchOutcome(record, { attempts });
  });
  await store.close(batchId, outcomes);
}

/** A job per batch, with its own count of attempts: what failed is kept in the job, which comes again after the interval. */
async function runBatch(job, token) {
  const { batchId, records, outcomes = {}, attempt = 1 } = job.data;
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
    await job.updateData({ batchId, records, outcomes, attempt: attempt + 1 });
    await job.moveToDelayed(Date.now() + work.retryIntervalMs, token);
    throw new DelayedError();
  }
  await store.close(
    batchId,
    records.map(({ id }) => outcomes[id]),
  );
}

async function main() {
  const handlers =
    work.kind === 'batch'
      ? [[BATCHES, runBatch]]
      : [
          [RECORDS, saveRecord],
          [BATCHES, closeBatch],
        ];
  for (const [queue, handler] of handlers) {
    const worker = new Worker(queue, handler, { connection, concurrency: CONCURRENCY });
    worker.on('error', (error) => console.error(error));
    await worker.waitUntilReady();
  }
  console.log('worker is up');
}

void main();
