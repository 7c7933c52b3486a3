import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { VIA } from '../contracts/instruments';
import { KeepapartError } from '../domain/errors';
import { withTrace } from '../domain/records/trace-context';
import { decodeUtf8, parseJsonText } from '../edge/json-text';
import { MAX_BODY_DEPTH, recordsReader } from '../edge/records';
import { isForLogOnly, toClientError } from '../edge/refusals';
import type { GatewayDeps } from './deps';
import { errorReply, savedReply } from './replies';

/** Sends one list to Temporal and resolves with its reply; never rejects. It logs ids and counts, but no values. */
export type ListTaker = (bytes: Uint8Array, log: Logger) => Promise<string>;

export function createListTaker(deps: GatewayDeps): ListTaker {
  const { batcher, limits, instruments, tracing, isDraining, newRequestId = randomUUID } = deps;
  const toRecords = recordsReader(limits);

  return async (bytes, log) => {
    const requestId = newRequestId();
    const begunAt = performance.now();
    const span = tracing?.requestBegan({ via: VIA.tcp });
    const inTrace = span && { trace_id: span.traceId };
    try {
      if (isDraining()) throw stopping();
      const { values, bytes: valueBytes } = toRecords(
        parseJsonText(decodeUtf8(bytes), { maxDepth: MAX_BODY_DEPTH }),
      );
      // G3: the reply says that the list is durable.
      await batcher.addRecords({ requestId, values, bytes: valueBytes, ...withTrace(span?.context) });
      instruments?.received(VIA.tcp, values.length, bytes.length);
      const durationMs = Math.round(performance.now() - begunAt);
      log.info({ requestId, records: values.length, durationMs, ...inTrace }, 'list accepted');
      span?.end({ accepted: { requestId, records: values.length } });
      return savedReply(values);
    } catch (thrown) {
      const inOurLog = `It is not known whether the list was accepted; our log has details under ${requestId}`;
      const error = toClientError(thrown, inOurLog);
      const { code, entry } = error;
      const isOurs = (entry.status ?? 0) >= 500;
      span?.end(isOurs ? { error: code } : {});
      if (code === 'internal') log.error({ requestId, code, ...inTrace, err: thrown }, 'list failed');
      else if (isOurs) log.warn({ requestId, code, ...inTrace, err: error }, 'list refused');
      // Never the detail of a client's mistake, because it may quote records.
      else log.info({ requestId, code, ...inTrace }, 'list refused');
      return errorReply(error, isForLogOnly(error) ? inOurLog : error.message);
    }
  };
}

/** The error for a list that arrives while this process is shutting down. */
export function stopping(): KeepapartError {
  return new KeepapartError('not-ready', 'This process is shutting down; nothing was accepted');
}
