import { tracesFrom } from '../../src/config';
import type { ClosedBatchTrace } from '../../src/contracts/tracing';
import { requestsFrom } from '../../src/contracts/workflow/message-checks';
import { isTraceContext } from '../../src/domain/records/trace-context';
import { batchIds, packContext, unpackContext } from '../../src/tracing/trace-ids';
import { idsOf, keepTraces, newContext } from '../helpers/traced';

const batch: ClosedBatchTrace = {
  batchId: 'batcher-0-00000042',
  openedAtMs: 1_000,
  closedAtMs: 1_500,
  reason: 'age',
  location: 'file.log',
  requests: 1,
  contexts: [],
  saved: 1,
  rolledBack: 0,
  retries: 0,
  undoFailed: 0,
  settled: false,
  records: [],
};

/** As it was before the environment of a test was changed. */
const { OTEL_TRACES_SAMPLER: sampler } = process.env;
afterEach(() => {
  if (sampler === undefined) delete process.env['OTEL_TRACES_SAMPLER'];
  else process.env['OTEL_TRACES_SAMPLER'] = sampler;
});

test('A context takes 32 characters, 34 with its quotes, and comes back as it was.', () => {
  const { trace, ...ids } = newContext();
  expect(JSON.stringify(trace)).toHaveLength(34);
  expect(isTraceContext(trace)).toBe(true);
  expect(unpackContext(trace)).toEqual(ids);
  expect(packContext(ids)).toBe(trace);
});

test('The ids of a batch are the same in any worker, and others where its id is used again.', () => {
  const { batchId, openedAtMs } = batch;
  const ids = batchIds({ batchId, openedAtMs });
  expect(ids).toEqual(batchIds({ batchId, openedAtMs }));
  expect(ids.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(ids.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(batchIds({ batchId, openedAtMs: openedAtMs + 1 })).not.toEqual(ids);
});

test('A save names a parent that is made later, with the times that are reported.', () => {
  const traces = keepTraces();
  traces.storeCallEnded({
    ...{ kind: 'save', batch, attempt: 2, records: 1, failed: 0, recordId: 'r:0' },
    ...{ startedAtMs: 1_100, endedAtMs: 1_200.5 },
  });
  traces.batchesClosed([{ ...batch, contexts: [newContext().trace] }]);
  const [save, made] = traces.spans;
  expect(made && idsOf(made)).toEqual(batchIds(batch));
  expect(save?.parentSpanContext).toMatchObject(batchIds(batch));
  // Long before this process was started: the SDK takes small numbers for times since then.
  expect(save).toMatchObject({ startTime: [1, 100_000_000], endTime: [1, 200_500_000] });
  expect(made).toMatchObject({ startTime: [1, 0], endTime: [1, 500_000_000] });
});

test('A batch links to at most 128 of its requests, and the rest is counted.', () => {
  const traces = keepTraces();
  const contexts = Array.from({ length: 200 }, newContext);
  traces.batchesClosed([{ ...batch, contexts: contexts.map(({ trace }) => trace), requests: 200 }]);
  const [made] = traces.spans;
  expect(made?.links).toHaveLength(128);
  const linked = new Set(made?.links.map(({ context }) => context.traceId));
  expect(contexts.filter(({ traceId }) => linked.has(traceId))).toHaveLength(128);
  expect(made?.droppedLinksCount).toBe(72);
});

test('A batch that is reported again, as a workflow task was repeated, has one span.', () => {
  const traces = keepTraces();
  const sampled = { ...batch, contexts: [newContext().trace] };
  traces.batchesClosed([sampled]);
  traces.batchesClosed([{ ...sampled, closedAtMs: 2_000 }]);
  expect(traces.spans).toHaveLength(1);
});

test.each([
  ['was not sampled', {}, 0],
  ['was rolled back', { rolledBack: 1 }, 1],
  ['could not be undone', { rolledBack: 1, undoFailed: 1 }, 1],
  ['was settled', { settled: true }, 1],
  ['took as long as TRACE_SLOW_MS says', { closedAtMs: 11_000 }, 1],
  ['took less', { closedAtMs: 10_999 }, 0],
])('A batch without a sampled request that %s has the spans it should.', (_, change, spans) => {
  process.env['OTEL_TRACES_SAMPLER'] = 'always_off';
  const traces = keepTraces({ slowMs: 10_000 });
  traces.batchesClosed([{ ...batch, ...change }]);
  expect(traces.spans).toHaveLength(spans);
});

test.each([
  ['its parent is', undefined, '01', true],
  ['its parent is not', undefined, '00', false],
  ['its parent is not, where the sampler says always', 'always_on', '00', true],
  ['its parent is, where the sampler says never', 'always_off', '01', false],
])(
  'Whether a request is sampled is decided by its parent and OTEL_TRACES_SAMPLER: %s.',
  (_, by, flags, sampled) => {
    if (by === undefined) delete process.env['OTEL_TRACES_SAMPLER'];
    else process.env['OTEL_TRACES_SAMPLER'] = by;
    const traces = keepTraces();
    const { traceId, spanId } = newContext();
    const span = traces.requestBegan({ via: 'http', traceparent: `00-${traceId}-${spanId}-${flags}` });
    expect(span.traceId).toBe(traceId);
    expect(span.context !== undefined).toBe(sampled);
    span.end({ status: 202 });
    expect(traces.spans).toHaveLength(sampled ? 1 : 0);
  },
);

test('Of a header that can not be read the request makes nothing: it begins a trace of its own.', () => {
  const traces = keepTraces();
  for (const traceparent of [
    '',
    'x',
    `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  ]) {
    traces.requestBegan({ via: 'http', traceparent, tracestate: '=,=;\u0000' }).end({ status: 202 });
    expect(traces.spans.at(-1)?.parentSpanContext).toBeUndefined();
  }
});

test('A commit of one request is part of its trace; a commit of several has a trace of its own that links to them.', () => {
  const traces = keepTraces();
  const [one, other] = [newContext(), newContext()];
  const commit = { batcher: 'b-0', startedAtMs: 1, endedAtMs: 2, failed: false };
  traces.committed({ ...commit, requests: 1, contexts: [one.trace] });
  traces.committed({ ...commit, requests: 3, contexts: [one.trace, other.trace], failed: true });
  const [alone, together] = traces.spans;
  expect(alone?.parentSpanContext).toMatchObject({ traceId: one.traceId, spanId: one.spanId });
  expect(together?.parentSpanContext).toBeUndefined();
  expect(together?.links.map(({ context }) => context.traceId)).toEqual([one.traceId, other.traceId]);
  expect(together?.attributes).toMatchObject({ 'messaging.batch.message_count': 3, 'error.type': 'failed' });
});

test('A message whose context has another form is refused as a whole, like any that is not as its type says.', () => {
  const request = { requestId: 'r', values: [1] };
  expect(requestsFrom([request])).toEqual([request]);
  expect(requestsFrom([{ ...request, trace: newContext().trace }])).toHaveLength(1);
  for (const trace of [null, 1, '', 'x'.repeat(31), 'x'.repeat(33), '+'.repeat(32), { length: 32 }])
    expect(requestsFrom([{ ...request, trace }])).toBeUndefined();
});

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };
test.each([
  ['nothing', {}, undefined],
  ['an exporter', { OTEL_TRACES_EXPORTER: 'otlp' }, 'http/protobuf'],
  ['an endpoint', ENDPOINT, 'http/protobuf'],
  [
    'an endpoint for traces',
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost/v1/traces' },
    'http/protobuf',
  ],
  ['an empty exporter', { OTEL_TRACES_EXPORTER: ' ' }, undefined],
  ['an endpoint, but no exporter', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ['an SDK that is disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, undefined],
  ['another protocol', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, 'http/json'],
  [
    'another protocol for traces',
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' },
    'http/json',
  ],
])(
  'Whether there are traces, and how they are sent, is said by the standard variables: %s.',
  (_, env, protocol) => {
    expect(tracesFrom(env)?.protocol).toBe(protocol);
  },
);

test('Variables that ask for what keepapart does not have are refused, with what it has.', () => {
  expect(() => tracesFrom({ OTEL_TRACES_EXPORTER: 'console' })).toThrow('set it to otlp or none');
  expect(() => tracesFrom({ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toThrow(
    'set it to http/protobuf or http/json',
  );
});
