require('./polyfill.js');
const restate = require('@restatedev/restate-sdk');
const { cutBatches } = require('../work/cut.ts');
const { createPlainStore } = require('../work/plain-store.ts');
const { benchOutcome, readWork } = require('../work/work.ts');

const work = readWork();
const store = createPlainStore(work);
/** Takes a list: each of its batches is an invocation of its own. */
const lists = restate.service({
  name: 'lists',
  handlers: {
    take: async (ctx, { listId, records }) => {
      cutBatches(records, work).forEach((batch, i) =>
        ctx.serviceSendClient({ name: 'batches' }).run({ batchId: `${listId}-${i}`, records: batch }),
      );
    },
  },
});

/** A step per record. What failed is a result, not an error: see the handler below. */
const save = (ctx, record) =>
  ctx.run(`save ${record.id}`, () =>
    store.save(record).then(
      (attempts) => ({ attempts }),
      (error) => ({ error: error.message }),
    ),
  );

/**
 * A batch: steps for its records side by side, again after the interval for those that failed, and one for the file.
 * Not by `maxRetryAttempts`: that counts the retries of the invocation, which steps side by side share, so that of
 * records that failed together some were given up early.
 */
const batches = restate.service({
  name: 'batches',
  handlers: {
    run: async (ctx, { batchId, records }) => {
      const outcomes = new Map();
      let waiting = records;
      for (let attempt = 1; waiting.length > 0; attempt++) {
        if (attempt > 1) await ctx.sleep(work.retryIntervalMs);
        const results = await restate.RestatePromise.all(waiting.map((record) => save(ctx, record)));
        waiting.forEach((record, i) => {
          const { error, attempts = attempt } = results[i];
          if (error === undefined || attempt === work.maxAttempts)
            outcomes.set(record.id, { attempts, error });
        });
        waiting = waiting.filter(({ id }) => !outcomes.has(id));
      }
      await ctx.run('close', () =>
        store.close(
          batchId,
          records.map((record) => benchOutcome(record, outcomes.get(record.id))),
        ),
      );
    },
  },
});

async function main() {
  const port = await restate.serve({ services: [lists, batches], port: 0 });
  console.log(`worker is up at ${port}`);
}

void main();
