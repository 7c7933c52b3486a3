import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What meets a batcher while one run of it follows another: nothing is refused for that, and nothing is lost. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

async function continuedAsNew(times: number): Promise<void> {
  await waitFor(`run ${times + 1}`, async () => (await pipeline.status()).run.continuedAsNew >= times);
}

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
