import { ROOT_CONTEXT, SpanKind, type Attributes } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { LRUCache } from 'lru-cache';
import { VIA } from '../contracts/instruments';
import type {
  BegunRequest,
  ClosedBatchTrace,
  RecordTrace,
  StoreCall,
  StoreCallKind,
  Tracing,
} from '../contracts/tracing';
import { Spans, contextFrom, contextOfApp } from './spans';
import { batchIds, packContext, recordSpanId, unpackContext } from './trace-ids';

export interface TracingOptions {
  /** Receive the spans; whoever made them closes them. */
  processors: readonly SpanProcessor[];
  /** Version of keepapart. */
  version: string;
  /** From this duration on, in milliseconds, a batch has a trace although none of its requests is sampled. */
  slowMs: number;
}

/** How many closed batches are remembered, so that a repeated workflow task makes no second span. */
const KNOWN_BATCHES = 10_000;

const CALLS: Record<StoreCallKind, string> = {
  save: 'save',
  rollback: 'roll back',
  close: 'write file',
  settle: 'settle',
};

/**
 * Makes spans of what is reported. Only requests are sampled; everything else is reported because a request was, or
 * because of what happened.
 *
 *   trace of a request   POST /v1/records (SERVER) ─┬─ commit (PRODUCER)         if nothing else was in the group
 *                                                   └─ record: accepted to outcome ──link──► batch
 *   trace of a batch     batch (CONSUMER) ──link──► each sampled request
 *                         ├─ save, roll back, write file (CLIENT): one span per attempt
 *                         └─ record: those that were rolled back and have no span in a request's trace
 */
export function createTracing({ processors, version, slowMs }: TracingOptions): Tracing {
  const spans = new Spans(processors, version);
  const known = new LRUCache<string, true>({ max: KNOWN_BATCHES });

  return {
    requestBegan(request) {
      const app = contextOfApp();
      const kind = app === undefined ? SpanKind.SERVER : SpanKind.INTERNAL;
      const [name, attributes] = describeRequest(request);
      const span = spans.begin(name, kind, attributes, app ?? parentOf(request));
      return {
        traceId: span.traceId,
        context: span.sampled ? packContext(span) : undefined,
        end({ status, error, accepted }) {
          const { requestId, records } = accepted ?? {};
          span.end({
            attributes: {
              ...(status !== undefined && { 'http.response.status_code': status }),
              ...(requestId !== undefined && { 'keepapart.request.id': requestId }),
              ...(records !== undefined && { 'keepapart.request.records': records }),
            },
            error,
          });
        },
      };
    },

    committed({ batcher, requests, contexts, startedAtMs, endedAtMs, failed }) {
      const links = contexts.map(unpackContext);
      const [only] = requests === 1 ? links : [];
      spans.report({
        ...{ name: 'commit', kind: SpanKind.PRODUCER, links, startedAtMs, endedAtMs },
        // For several requests there is no trace that it is a part of.
        ...(only !== undefined && { parent: only }),
        attributes: {
          'messaging.system': 'keepapart',
          'messaging.operation.type': 'send',
          'messaging.destination.name': batcher,
          'messaging.batch.message_count': requests,
        },
        error: failed ? 'failed' : undefined,
      });
    },

    storeCallEnded(call) {
      const { kind, batch, startedAtMs, endedAtMs, error, failed } = call;
      spans.report({
        ...{ name: CALLS[kind], kind: SpanKind.CLIENT, parent: batchIds(batch), startedAtMs, endedAtMs },
        attributes: describeCall(call),
        error: error ?? (failed > 0 ? 'records_failed' : undefined),
      });
    },

    batchesClosed(batches) {
      for (const batch of batches) {
        if (!isTraced(batch, slowMs)) continue;
        const { traceId } = batchIds(batch);
        if (known.has(traceId)) continue;
        known.set(traceId, true);
        reportBatch(spans, batch);
        for (const record of batch.records) reportRecord(spans, batch, record);
      }
    },
  };
}

function isTraced({ contexts, rolledBack, settled, ...batch }: ClosedBatchTrace, slowMs: number): boolean {
  return contexts.length > 0 || rolledBack > 0 || settled || batch.closedAtMs - batch.openedAtMs >= slowMs;
}

function reportBatch(spans: Spans, batch: ClosedBatchTrace): void {
  const { contexts, saved, rolledBack, undoFailed, settled } = batch;
  spans.report({
    ...{ name: 'batch', kind: SpanKind.CONSUMER, own: batchIds(batch) },
    links: contexts.map(unpackContext),
    attributes: {
      'messaging.system': 'keepapart',
      'messaging.operation.type': 'process',
      'messaging.batch.message_count': saved + rolledBack,
      'keepapart.batch.id': batch.batchId,
      'keepapart.batch.flush_reason': batch.reason,
      'keepapart.batch.location': batch.location,
      'keepapart.batch.requests': batch.requests,
      'keepapart.batch.saved': saved,
      'keepapart.batch.rolled_back': rolledBack,
      'keepapart.batch.retries': batch.retries,
      ...(undoFailed > 0 && { 'keepapart.batch.undo_failed': undoFailed }),
      ...(settled && { 'keepapart.batch.settled': true }),
    },
    startedAtMs: batch.openedAtMs,
    endedAtMs: batch.closedAtMs,
    error: undoFailed > 0 ? 'undo_failed' : rolledBack > 0 ? 'rolled_back' : undefined,
  });
}

function reportRecord(spans: Spans, batch: ClosedBatchTrace, record: RecordTrace): void {
  const { recordId, context, acceptedAtMs = batch.openedAtMs, decidedAtMs, saved, undoFailed } = record;
  const ofBatch = batchIds(batch);
  spans.report({
    ...{ name: 'record', kind: SpanKind.INTERNAL, own: { spanId: recordSpanId(batch, recordId) } },
    ...(context === undefined ? { parent: ofBatch } : { parent: unpackContext(context), links: [ofBatch] }),
    attributes: {
      'keepapart.record.id': recordId,
      'keepapart.record.outcome': saved ? 'saved' : 'rolled_back',
      'keepapart.record.attempts': record.attempts,
      'keepapart.batch.id': batch.batchId,
      'keepapart.batch.location': batch.location,
    },
    events: [
      { name: 'batch started', atMs: batch.openedAtMs },
      { name: 'outcome known', atMs: decidedAtMs },
    ],
    startedAtMs: acceptedAtMs,
    endedAtMs: batch.closedAtMs,
    error: undoFailed ? 'undo_failed' : saved ? undefined : 'rolled_back',
  });
}

function describeCall({ batch, attempt, records, failed, recordId, location }: StoreCall): Attributes {
  return {
    'keepapart.batch.id': batch.batchId,
    'keepapart.attempt': attempt,
    'keepapart.records': records,
    ...(failed > 0 && { 'keepapart.records.failed': failed }),
    ...(recordId !== undefined && { 'keepapart.record.id': recordId }),
    ...(location !== undefined && { 'keepapart.batch.location': location }),
  };
}

function describeRequest({ via, address }: BegunRequest): [name: string, attributes: Attributes] {
  const client = address === undefined ? {} : { 'client.address': address };
  if (via === VIA.tcp) return ['list over TCP', { 'network.transport': 'tcp', ...client }];
  const route = '/v1/records';
  return [
    `POST ${route}`,
    { 'http.request.method': 'POST', 'http.route': route, 'url.path': route, ...client },
  ];
}

function parentOf({ traceparent, tracestate }: BegunRequest) {
  if (traceparent === undefined) return ROOT_CONTEXT;
  return contextFrom({ traceparent, ...(tracestate !== undefined && { tracestate }) });
}
