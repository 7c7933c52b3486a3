import { randomUUID } from 'node:crypto';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What meets a batcher while one run of it follows another: nothing is refused for that, and nothing is lost. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

async function continuedAsNew(times: number): Promise<void> {
  await waitFor(`run ${times + 1}`, async () => (await pipeline.status()).run.continuedAsNew >= times);
}

test('Lists, lists with a key and questions that meet the end of a run are answered by the next one, and none is refused (G3, G5).', async () => {
  pipeline = await startPipeline({ limits: { messages: 5 } });
  let sent = 0;
  let done = false;
  const repeat = async (call: () => Promise<unknown>) => {
    while (!done) await call();
  };
  const send = (once: boolean) =>
    repeat(async () => {
      await pipeline.batcher.addRecords({ requestId: randomUUID(), values: [3] }, { once });
      sent++;
    });
  const clients = [send(false), send(true), repeat(() => pipeline.status())];
  try {
    await continuedAsNew(3);
  } finally {
    done = true;
    await Promise.all(clients);
  }
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: sent, saved: sent, duplicateRequests: 0 });
  expect(pipeline.store.outcomes()).toHaveLength(sent);
});

test('What arrives behind a question in a run whose first task the server delays is taken (G3).', async () => {
  pipeline = await startPipeline({ limits: { messages: 3 } });
  const flushThrice = async () => {
    for (let i = 0; i < 3; i++) await pipeline.batcher.flush('test');
  };
  // The second of two runs within a second is delayed; whoever waits for it asks it.
  await flushThrice();
  await continuedAsNew(1);
  await flushThrice();
  await continuedAsNew(2);
  for (const value of ['a', 'b']) await pipeline.batcher.addRecords({ requestId: value, values: [value] });
  await waitFor('both to be saved', () => pipeline.store.outcomes().length === 2);
  expect(await pipeline.quiet()).toMatchObject({ counters: { accepted: 2, saved: 2 } });
});
