import { randomUUID } from 'node:crypto';
import { addRecordsSignal, takeUpdate, type AcceptedRequest } from '../../src/contracts/workflow/batcher';
import type { JsonValue } from '../../src/domain/json';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/**
 * A call to Temporal whose reply is lost is repeated, and the server knows the repeat in the same run only. By the number
 * that each message carries, the batcher knows it in a later run, too (G3, G4).
 */
let pipeline: TestPipeline;
afterEach(async () => {
  jest.restoreAllMocks();
  await pipeline.close();
});

async function start(): Promise<void> {
  pipeline = await startPipeline({ limits: { messages: 10 } });
}

const batcher = () => pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId);

async function continueAsNew(): Promise<void> {
  const { continuedAsNew } = (await pipeline.status()).run;
  for (let i = 0; i < 10; i++) await pipeline.batcher.flush('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > continuedAsNew);
}

type Call = 'signalWithStartWorkflowExecution' | 'updateWorkflowExecution';

/** Has the next call of a kind arrive, its reply get lost, and the same again after the batcher has continued as new. */
function loseReplyOf(
  name: Call,
  isMeant: (request: unknown) => boolean = () => true,
): { repeats: () => number } {
  const { workflowService } = pipeline.client;
  const call = workflowService[name].bind(workflowService) as (request: unknown) => Promise<unknown>;
  let repeats = 0;
  const repeating = async (request: unknown): Promise<unknown> => {
    const reply = await call(request);
    if (repeats > 0 || !isMeant(request)) return reply;
    repeats++;
    await continueAsNew();
    return call(request);
  };
  jest.spyOn(workflowService, name).mockImplementation(repeating as never);
  return { repeats: () => repeats };
}

const isTake = (request: unknown) => JSON.stringify(request).includes(`"name":"${takeUpdate.name}"`);

async function stream(requestId: string, values: JsonValue[], once: boolean): Promise<void> {
  const opened = await pipeline.batcher.openStream(requestId, { once, stillWanted: () => true });
  for (const value of values) await opened.write(value);
  expect(await opened.end()).toBe(values.length);
}

/** By a signal where no key is given, by an update otherwise. */
const WAYS = {
  'a list': () => pipeline.batcher.addRecords({ requestId: randomUUID(), values: ['a', 'b'] }),
  'a stream': () => stream(randomUUID(), ['a', 'b'], false),
  'a list with a key': () =>
    pipeline.batcher.addRecords({ requestId: 'key', values: ['a', 'b'] }, { once: true }),
  'a stream with a key': () => stream('key', ['a', 'b'], true),
};

test.each(Object.entries(WAYS))(
  'When the reply to %s is lost and it arrives again after continue-as-new, it is taken once (G4, G5).',
  async (way, send) => {
    await start();
    const lost = way.includes('key')
      ? loseReplyOf('updateWorkflowExecution', isTake)
      : loseReplyOf('signalWithStartWorkflowExecution');
    await send();
    expect(lost.repeats()).toBe(1);
    const { counters, run } = await pipeline.quiet();
    expect(run.continuedAsNew).toBeGreaterThan(0);
    expect(counters).toMatchObject({ accepted: 2, repeatedMessages: 1, duplicateRequests: 0 });
    expect(savedValues(pipeline.store)).toEqual(['a', 'b']);
  },
);

test('A message adds nothing when its sender’s number is not above the last one, however many runs later; others are taken (G4).', async () => {
  await start();
  const send = (value: string, origin?: { sender: string; number: number }) => {
    const requests: AcceptedRequest[] = [{ requestId: randomUUID(), values: [value] }];
    return batcher().signal(addRecordsSignal, requests, origin);
  };
  await send('first', { sender: 'one', number: 1 });
  await send('first again', { sender: 'one', number: 1 });
  await send('second', { sender: 'one', number: 2 });
  await continueAsNew();
  await continueAsNew();
  await send('second again', { sender: 'one', number: 2 });
  await send('first once more', { sender: 'one', number: 1 });
  await send('of another sender', { sender: 'two', number: 1 });
  await send('third', { sender: 'one', number: 3 });
  await send('without a number');
  await send('without a number');
  const { counters } = await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([
    ...['first', 'of another sender', 'second', 'third', 'without a number', 'without a number'],
  ]);
  expect(counters).toMatchObject({ accepted: 6, repeatedMessages: 3, malformedMessages: 0 });
});
