import type { BatchRef, FlushReason } from '../domain/records/batch';
import type { OutcomeTally } from '../domain/records/outcome';
import type { TraceContext } from '../domain/records/trace-context';
import type { Via } from './instruments';

/*
 * The ports through which keepapart reports what becomes spans of OpenTelemetry (decision 33). Off by default: whoever
 * reports has no port then. Calls return at once and never throw, and nothing depends on their effect.
 *
 * None of them gets a record's value or the text of an error, which may quote one.
 */

/** A request that brings records, as it arrives. */
export interface BegunRequest {
  via: Exclude<Via, 'ndjson'>;
  /** Address of the client, or of the proxy before us. */
  address?: string | undefined;
  /** The headers of the same name; undefined if there are none. */
  traceparent?: string | undefined;
  tracestate?: string | undefined;
}

/** How such a request ended. */
export interface EndedRequest {
  /** Status of the HTTP response; undefined if there was none, or the request came over TCP. */
  status?: number;
  /** Set if the server failed, or the client left before the answer: what happened, in one word. */
  error?: string;
  /** Set if records were accepted. */
  accepted?: { requestId: string; records: number };
}

/** The span of a request while it runs. */
export interface RequestSpan {
  /** 32 hexadecimal digits; for the log. */
  readonly traceId: string;
  /** What travels with the records; undefined if the request isn't sampled. */
  readonly context: TraceContext | undefined;
  /** Call it once. A span that isn't ended is dropped. */
  end(request: EndedRequest): void;
}

/** Traces of the ways in. */
export interface RequestTracing {
  requestBegan(request: BegunRequest): RequestSpan;
}

/** Traces of the group commit. */
export interface CommitTracing {
  /**
   * A group of requests, at least one of which is sampled, was committed or failed. `contexts` are those of the sampled
   * ones.
   */
  committed(commit: {
    batcher: string;
    requests: number;
    contexts: readonly TraceContext[];
    /** Milliseconds since the epoch, like every time here; may be fractional. */
    startedAtMs: number;
    endedAtMs: number;
    failed: boolean;
  }): void;
}

/** What an activity asks of a store. */
export type StoreCallKind = 'save' | 'rollback' | 'close' | 'settle';

/** An attempt of an activity, for one batch. */
export interface StoreCall {
  kind: StoreCallKind;
  batch: BatchRef;
  /** Number of the attempt, from 1. */
  attempt: number;
  /** Number of records, and of those that failed. */
  records: number;
  failed: number;
  /** Set if it is for one record. */
  recordId?: string;
  /** Where the batch was published. */
  location?: string;
  /** Code of the failure; absent if the attempt succeeded as a whole. */
  error?: string;
  startedAtMs: number;
  endedAtMs: number;
}

/** Traces of activities. */
export interface StoreCallTracing {
  storeCallEnded(call: StoreCall): void;
}

/** A closed batch that may be part of a trace. */
export interface ClosedBatchTrace extends BatchRef, OutcomeTally {
  reason: FlushReason;
  closedAtMs: number;
  location: string;
  /** Number of its requests, sampled or not. */
  requests: number;
  /** Contexts of the sampled ones. */
  contexts: readonly TraceContext[];
  /** Records whose rollback failed permanently. */
  undoFailed: number;
  /** Whether its child ended early, so that it was settled. */
  settled: boolean;
  /** The records that have spans of their own. */
  records: readonly RecordTrace[];
}

/** A record from its acceptance to its outcome. */
export interface RecordTrace {
  recordId: string;
  /** Context of its request, whose trace it belongs to; absent: it belongs to the trace of its batch. */
  context?: TraceContext;
  /** Undefined if unknown. */
  acceptedAtMs: number | undefined;
  /** When its outcome was known; its batch publishes it. */
  decidedAtMs: number;
  saved: boolean;
  attempts: number;
  undoFailed: boolean;
}

/** Traces of batches. */
export interface BatchTracing {
  /** Batches were closed: sampled ones, and those with a failure, and those that took a second or more. */
  batchesClosed(batches: readonly ClosedBatchTrace[]): void;
}

/** Everything that keepapart traces. */
export type Tracing = RequestTracing & CommitTracing & StoreCallTracing & BatchTracing;

/**
 * A span processor of OpenTelemetry's SDK 2, for example a `BatchSpanProcessor`. Written out, so that the types of an app
 * without OpenTelemetry need nothing of it.
 */
export interface SpanProcessor {
  onStart(span: never, parentContext: never): void;
  onEnd(span: never): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}
