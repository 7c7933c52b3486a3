import { randomUUID } from 'node:crypto';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { defaultPayloadConverter } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type { BatcherInput } from '../../src/contracts/workflow/batcher';
import { HOUR, KIB } from '../../src/domain/duration';
import { OUTCOME } from '../../src/domain/records/outcome';
import type { TraceContext } from '../../src/domain/records/trace-context';
import { inputOf, readStart } from '../../src/temporal/server/history';
import { workerSinks } from '../../src/temporal/worker/worker-sinks';
import { bundleOfToday } from '../helpers/builds';
import { childOf, eventsOf, listChildren } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { idsOf, keepTraces, newContext, type KeptTraces } from '../helpers/traced';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(600_000);

/** On a machine that is many times as busy as it should be. */
const PATIENCE_MS = 500_000;

/** What becomes of the contexts of sampled requests, through a real server. */
let pipeline: TestPipeline;
let traces: KeptTraces;
beforeEach(() => (traces = keepTraces()));
afterEach(() => pipeline.close());

/** Sends a list whose request is sampled. */
async function sendSampled(values: (number | string)[], requestId: string = randomUUID()) {
  const { trace, ...span } = newContext();
  await pipeline.batcher.addRecords({ requestId, values, trace });
  return { requestId, span };
}

/** Everything that payloads in the history of a workflow hold, as text. */
async function payloadsOf(workflowId: string): Promise<string> {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    // Of another realm than Jest's.
    if (ArrayBuffer.isView(value))
      texts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(await eventsOf(pipeline, workflowId));
  return texts.join('\n');
}

/** What the signals of a run have brought. */
async function signalled(): Promise<object[]> {
  const events = await eventsOf(pipeline, pipeline.batcherWorkflowId);
  return events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const [payload] = signal?.signalName === 'addRecords' ? (signal.input?.payloads ?? []) : [];
    return payload == null ? [] : defaultPayloadConverter.fromPayload<object[]>(payload);
  });
}

test('A sampled request takes 34 characters in its signal, and one that is not sampled takes none anywhere.', async () => {
  pipeline = await startPipeline({ tracing: traces });
  const [unsampled = ''] = await pipeline.send([1, 3]);
  await pipeline.quiet();
  const untouched = (await payloadsOf(pipeline.batcherWorkflowId)) + (await payloadsOf(childOf(pipeline, 1)));
  expect(untouched).toContain(unsampled);
  expect(untouched).not.toContain('"trace');

  const { requestId, span } = await sendSampled([1, 3]);
  await pipeline.quiet();
  const [without, withContext] = (await signalled()) as [object, { trace: TraceContext }];
  expect(without).toEqual({ requestId: unsampled, values: [1, 3] });
  expect(withContext).toEqual({ requestId, values: [1, 3], trace: expect.any(String) });
  expect(JSON.stringify(withContext.trace)).toHaveLength(34);
  expect(await payloadsOf(childOf(pipeline, 2))).toContain('"traced":true');
  expect(traces.named('record').map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
    span.spanId,
    span.spanId,
  ]);
});

test('A request keeps its context through runs and pages of the batcher, until its batches have it.', async () => {
  pipeline = await startPipeline({
    tracing: traces,
    settings: { flushIntervalMs: HOUR, maxBatchSize: 20 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20 },
  });
  await pipeline.batcher.pause('test');
  const sent = [];
  for (let i = 0; i < 30; i++) sent.push(await sendSampled([`${i} ${'x'.repeat(4 * KIB)}`, `and ${i}`]));
  await waitFor('pages', async () => (await pipeline.status()).pages > 0);
  const started = await readStart(pipeline.client, pipeline.batcherWorkflowId);
  const { carried } = (await inputOf(pipeline.client, started, pipeline.batcherWorkflowId)) as BatcherInput;
  expect(carried?.buffer.runs.every((run) => run.length === 6)).toBe(true);
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  const parents = traces.named('record').map(({ parentSpanContext }) => parentSpanContext?.spanId);
  expect(parents.sort()).toEqual(sent.flatMap(({ span }) => [span.spanId, span.spanId]).sort());
});

test('A list with a key that is sent again has the spans of what was accepted, and no others.', async () => {
  pipeline = await startPipeline({ tracing: traces });
  const requestId = randomUUID();
  const first = newContext();
  for (const { trace } of [first, newContext()])
    await pipeline.batcher.addRecords({ requestId, values: [3], trace }, { once: true });
  await pipeline.quiet();
  const records = traces.named('record');
  expect(records.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([first.spanId]);
});

test('A replay of traced histories makes no span.', async () => {
  pipeline = await startPipeline({ tracing: traces });
  await sendSampled([1, 2, 3]);
  await pipeline.quiet();
  const again = keepTraces();
  async function* histories() {
    for (const workflowId of [pipeline.batcherWorkflowId, ...(await listChildren(pipeline))])
      yield { workflowId, history: await pipeline.client.workflow.getHandle(workflowId).fetchHistory() };
  }
  let replayed = 0;
  const options = { workflowBundle: bundleOfToday(false), sinks: workerSinks(undefined, again) };
  for await (const { error } of Worker.runReplayHistories(options, histories())) {
    expect(error).toBeUndefined();
    replayed++;
  }
  expect(replayed).toBe(3);
  expect(traces.spans).not.toEqual([]);
  expect(again.spans).toEqual([]);
});

test.each([
  [1000, 'auto'],
  [60, 'record'],
  [200, 'batch'],
] as const)(
  'Each of %d records has exactly one chain from its acceptance to its outcome, while saves fail and children are terminated, saving as %s.',
  async (total, saveActivity) => {
    pipeline = await startPipeline({ tracing: traces, settings: { saveActivity } });
    let calls = 0;
    pipeline.store.beforeSave = () => {
      if (calls++ % 3 === 0) throw new Error('no luck');
    };
    const requests = new Map<string, { traceId: string; spanId: string }>();
    for (let round = 0; round < 2; round++) {
      const sent = Array.from({ length: total / 20 }, (_, i) =>
        sendSampled(Array.from({ length: 10 }, (_, j) => (i + j) % 4)),
      );
      for (const { requestId, span } of await Promise.all(sent)) requests.set(requestId, span);
      await terminateOne();
    }
    await waitFor('all outcomes', () => pipeline.store.outcomes().length === total, {
      timeoutMs: PATIENCE_MS,
    });
    await waitFor('all batches to be closed', () => closedIn(traces) === total, { timeoutMs: PATIENCE_MS });

    const outcomes = new Map(pipeline.store.outcomes().map((record) => [record.recordId, record]));
    const records = traces.named('record').filter(({ links }) => links.length > 0);
    expect(records.map((span) => String(span.attributes['keepapart.record.id'])).sort()).toEqual(
      [...outcomes.keys()].sort(),
    );
    const batches = groupBy(traces.named('batch'), (span) => span.spanContext().spanId);
    const writing = groupBy(
      [...traces.named('write file'), ...traces.named('settle')].filter(
        ({ attributes }) => !attributes['error.type'],
      ),
      ({ parentSpanContext }) => parentSpanContext?.spanId,
    );
    for (const record of records) {
      const recordId = String(record.attributes['keepapart.record.id']);
      const request = requests.get(recordId.slice(0, recordId.lastIndexOf(':')));
      expect(record.parentSpanContext).toMatchObject({ ...request });
      expect(record.spanContext().traceId).toBe(request?.traceId);
      expect(record.links).toHaveLength(1);
      const made = batches.get(record.links[0]?.context.spanId ?? '') ?? [];
      expect(made).toHaveLength(1);
      const [batch] = made as [ReadableSpan];
      expect(record.links[0]?.context).toMatchObject(idsOf(batch));
      expect(batch.links.map(({ context }) => context.spanId)).toContain(request?.spanId);
      expect(writing.get(batch.spanContext().spanId)?.length).toBeGreaterThan(0);
      const { outcome } = outcomes.get(recordId) ?? {};
      expect(record.attributes['keepapart.record.outcome']).toBe(
        outcome === OUTCOME.saved ? 'saved' : 'rolled_back',
      );
    }
    for (const span of traces.spans)
      if (span.name === 'save') expect(batches.has(span.parentSpanContext?.spanId ?? '')).toBe(true);
  },
);

/** Terminates a child that runs, if visibility lists one in time. */
async function terminateOne(): Promise<void> {
  const query = `WorkflowType = 'batchesWorkflow' AND KeepapartBatcher = '${pipeline.batcherWorkflowId}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of pipeline.client.workflow.list({ query })) {
    await pipeline.client.workflow
      .getHandle(workflowId)
      .terminate('test')
      .catch(() => undefined);
    return;
  }
}

function closedIn({ named }: KeptTraces): number {
  return named('batch').reduce(
    (sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']),
    0,
  );
}

function groupBy<Key>(
  spans: readonly ReadableSpan[],
  keyOf: (span: ReadableSpan) => Key,
): Map<Key, ReadableSpan[]> {
  const groups = new Map<Key, ReadableSpan[]>();
  for (const span of spans) groups.set(keyOf(span), [...(groups.get(keyOf(span)) ?? []), span]);
  return groups;
}
