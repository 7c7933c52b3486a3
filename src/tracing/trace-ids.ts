import { createHash } from 'node:crypto';
import type { BatchRef } from '../domain/records/batch';
import type { TraceContext } from '../domain/records/trace-context';

/** Ids of a span as OpenTelemetry writes them: 32 and 16 hexadecimal digits. */
export interface SpanIds {
  traceId: string;
  spanId: string;
}

const TRACE_BYTES = 16;

/** The context of a sampled span, as it travels. */
export function packContext({ traceId, spanId }: SpanIds): TraceContext {
  return Buffer.from(traceId + spanId, 'hex').toString('base64url');
}

/** The inverse of {@link packContext}. */
export function unpackContext(context: TraceContext): SpanIds {
  const bytes = Buffer.from(context, 'base64url');
  return {
    traceId: bytes.toString('hex', 0, TRACE_BYTES),
    spanId: bytes.toString('hex', TRACE_BYTES),
  };
}

/**
 * The ids of a batch's span: hashes of its id and the time at which it was cut, since ids start again where a namespace
 * does. So any worker can name the parent of a span before the parent exists, and a repeated one is the same.
 */
export function batchIds(batch: BatchRef): SpanIds {
  return { traceId: hash(batch, 'trace', TRACE_BYTES), spanId: hash(batch, 'batch', 8) };
}

/** The id of a record's span, which is the same however often it is reported. */
export function recordSpanId(batch: BatchRef, recordId: string): string {
  return hash(batch, `record ${recordId}`, 8);
}

function hash({ batchId, openedAtMs }: BatchRef, of: string, bytes: number): string {
  return createHash('sha256')
    .update(`${batchId} ${openedAtMs} ${of}`)
    .digest('hex')
    .slice(0, 2 * bytes);
}
