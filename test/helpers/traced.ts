import { randomBytes } from 'node:crypto';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Tracing } from '../../src/contracts/tracing';
import type { TraceContext } from '../../src/domain/records/trace-context';
import { packContext, type SpanIds } from '../../src/tracing/trace-ids';
import { createTracing } from '../../src/tracing/tracing';

/** Traces whose spans are kept in memory. */
export interface KeptTraces extends Tracing {
  spans: ReadableSpan[];
  named(name: string): ReadableSpan[];
}

export function keepTraces({ slowMs = 60_000 } = {}): KeptTraces {
  const spans: ReadableSpan[] = [];
  const keep = {
    onStart: () => undefined,
    onEnd: (span: ReadableSpan) => void spans.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const tracing = createTracing({ processors: [keep], version: '0', slowMs });
  return { ...tracing, spans, named: (name) => spans.filter((span) => span.name === name) };
}

/** The ids of a span that nobody made, and its context as it travels. */
export function newContext(): SpanIds & { trace: TraceContext } {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  return { ...ids, trace: packContext(ids) };
}

export const idsOf = (span: ReadableSpan): SpanIds => {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
};
