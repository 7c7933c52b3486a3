/**
 * The context of a sampled request, as it travels with its records: the ids of its trace and of its span, 24 bytes as 32
 * characters of base64url. Requests that aren't sampled have none, which takes no byte anywhere.
 */
export type TraceContext = string;

const CONTEXT = /^[\w-]{32}$/;

/** Whether this has the form of a context. */
export function isTraceContext(value: unknown): value is TraceContext {
  return typeof value === 'string' && CONTEXT.test(value);
}

/** How many records of a request have a span of their own in its trace, counted from the first. */
export const MAX_RECORD_SPANS = 20;

/** From which duration on a batch can count as slow, in milliseconds: shorter ones aren't reported for their duration. */
export const LEAST_SLOW_MS = 1000;

/** `trace` as an optional field. */
export function withTrace(trace: TraceContext | undefined): { trace?: TraceContext } {
  return trace === undefined ? {} : { trace };
}
