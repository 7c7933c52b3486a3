import {
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  context as contexts,
  defaultTextMapGetter,
  isSpanContextValid,
  trace,
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  type Span,
  type SpanKind,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  RandomIdGenerator,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { SECOND } from '../domain/duration';
import type { SpanIds } from './trace-ids';

const SCOPE = 'keepapart';

/** A span that is over. */
export interface EndedSpan {
  name: string;
  kind: SpanKind;
  /** Absent: it begins a trace. */
  parent?: SpanIds;
  /** What is chosen of its ids; the rest is random, or its parent's. */
  own?: Partial<SpanIds>;
  attributes: Attributes;
  links?: readonly SpanIds[];
  /** Milliseconds since the epoch; may be fractional. */
  startedAtMs: number;
  endedAtMs: number;
  /** Moments within it. */
  events?: readonly { name: string; atMs: number }[];
  /** In one word, if it failed. */
  error?: string | undefined;
}

/** A span that runs. */
export interface RunningSpan extends SpanIds {
  sampled: boolean;
  end(more: Pick<EndedSpan, 'attributes' | 'error'>): void;
}

/** Makes spans with OpenTelemetry's SDK. */
export class Spans {
  private readonly requests;
  private readonly others;
  private readonly random = new RandomIdGenerator();
  private chosen: Partial<SpanIds> = {};

  /** @param processors receive the spans; whoever made them closes them */
  constructor(processors: readonly SpanProcessor[], version: string) {
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': SCOPE, 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] }));
    const idGenerator = {
      generateTraceId: () => this.chosen.traceId ?? this.random.generateTraceId(),
      generateSpanId: () => this.chosen.spanId ?? this.random.generateSpanId(),
    };
    const common = { resource, spanProcessors: [...processors], idGenerator };
    // Its sampler is what OTEL_TRACES_SAMPLER says.
    this.requests = new BasicTracerProvider(common).getTracer(SCOPE, version);
    this.others = new BasicTracerProvider({ ...common, sampler: new AlwaysOnSampler() }).getTracer(
      SCOPE,
      version,
    );
  }

  /** Reports a span that is over, sampled or not. */
  report(span: EndedSpan): void {
    const { name, kind, parent, own = {}, attributes, links = [], startedAtMs, endedAtMs } = span;
    const startTime = hrTime(startedAtMs);
    const options = { kind, attributes, links: links.map(linkTo), startTime };
    this.chosen = own;
    const made = this.others.startSpan(name, options, parent === undefined ? ROOT_CONTEXT : remote(parent));
    this.chosen = {};
    for (const { name: event, atMs } of span.events ?? []) made.addEvent(event, hrTime(atMs));
    noteError(made, span.error);
    // The clocks of two machines may differ.
    made.end(hrTime(Math.max(startedAtMs, endedAtMs)));
  }

  /** Begins a span of a request, which is part of `parent`, or a trace of its own; the sampler decides on it. */
  begin(name: string, kind: SpanKind, attributes: Attributes, parent: Context): RunningSpan {
    const startedAtMs = Date.now();
    const begunAt = performance.now();
    const made = this.requests.startSpan(name, { kind, attributes, startTime: hrTime(startedAtMs) }, parent);
    const { traceId, spanId, traceFlags } = made.spanContext();
    return {
      traceId,
      spanId,
      sampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
      end(more) {
        made.setAttributes(more.attributes);
        noteError(made, more.error);
        made.end(hrTime(startedAtMs + performance.now() - begunAt));
      },
    };
  }
}

const propagator = new W3CTraceContextPropagator();

/** What a client's headers say of the span that it is in; nothing if they can't be read. */
export function contextFrom(headers: { traceparent?: string; tracestate?: string }): Context {
  return propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
}

/** The span that the app is in that keepapart is embedded in, if the app traces its requests itself. */
export function contextOfApp(): Context | undefined {
  const active = contexts.active();
  const span = trace.getSpanContext(active);
  return span !== undefined && isSpanContextValid(span) ? active : undefined;
}

function noteError(span: Span, error: string | undefined): void {
  if (error === undefined) return;
  span.setAttribute('error.type', error);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** A span that another process may have made, or will make. */
function remoteSpan(ids: SpanIds) {
  return { ...ids, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

function remote(ids: SpanIds): Context {
  return trace.setSpanContext(ROOT_CONTEXT, remoteSpan(ids));
}

function linkTo(ids: SpanIds): Link {
  return { context: remoteSpan(ids) };
}

/** Not a number of milliseconds: the SDK takes one that is smaller than the age of the process for a time since its start. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / SECOND);
  return [seconds, Math.round((ms - seconds * SECOND) * 1e6)];
}
