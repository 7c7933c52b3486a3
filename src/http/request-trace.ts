import type { IncomingMessage } from 'node:http';
import { VIA } from '../contracts/instruments';
import type { EndedRequest, RequestSpan, RequestTracing } from '../contracts/tracing';
import { withTrace, type TraceContext } from '../domain/records/trace-context';
import { isFromStranger } from './guards/auth';
import type { Step } from './steps';

interface Traced {
  span: RequestSpan;
  accepted?: EndedRequest['accepted'];
}

const traced = new WeakMap<IncomingMessage, Traced>();

/**
 * Begins a span for each request with records, and ends it when its answer is sent or the client has disconnected. A
 * request without a valid key gets no span, because anybody can send such requests.
 * @param path where records arrive
 */
export function traceRecords(tracing: RequestTracing, path: string): Step {
  return (req, res) => {
    const { method, url = '' } = req;
    if (method !== 'POST' || (url !== path && !url.startsWith(`${path}?`))) return;
    const { traceparent, tracestate } = req.headers;
    const one: Traced = {
      span: tracing.requestBegan({
        via: VIA.http,
        address: req.socket.remoteAddress,
        traceparent: textOf(traceparent),
        tracestate: textOf(tracestate),
      }),
    };
    traced.set(req, one);
    // Also emitted after the answer.
    res.once('close', () => {
      const { statusCode, headersSent, writableFinished } = res;
      if (isFromStranger(res)) return;
      const error = statusCode >= 500 ? String(statusCode) : writableFinished ? undefined : 'aborted';
      one.span.end({
        ...(headersSent && { status: statusCode }),
        ...(error !== undefined && { error }),
        ...(one.accepted && { accepted: one.accepted }),
      });
    });
  };
}

/** Stores what became of a request. */
export function noteInTrace(req: IncomingMessage, accepted: NonNullable<EndedRequest['accepted']>): void {
  const one = traced.get(req);
  if (one !== undefined) one.accepted = accepted;
}

/** The trace context that accompanies the records of a request, if it is sampled. */
export function tracedRequest(req: IncomingMessage): { trace?: TraceContext } {
  return withTrace(traced.get(req)?.span.context);
}

/** For the log; undefined without traces. */
export function traceIdOf(req: IncomingMessage): string | undefined {
  return traced.get(req)?.span.traceId;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(',');
}
