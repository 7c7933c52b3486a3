import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { VIA } from '../contracts/instruments';
import { KeepapartError } from '../domain/errors';
import { decodeUtf8, parseJsonText } from '../edge/json-text';
import { MAX_BODY_DEPTH, recordsReader } from '../edge/records';
import { isForLogOnly, toClientError } from '../edge/refusals';
import type { GatewayDeps } from './deps';
import { errorReply, savedReply } from './replies';

/** Hands one list over and resolves with its reply; never rejects. What it logs has ids and counts, no values. */
export type ListTaker = (bytes: Uint8Array, log: Logger) => Promise<string>;

export function createListTaker(deps: GatewayDeps): ListTaker {
  const { batcher, limits, instruments, isDraining, newRequestId = randomUUID } = deps;
  const toRecords = recordsReader(limits);

  return async (bytes, log) => {
    const requestId = newRequestId();
    const begunAt = performance.now();
    try {
      if (isDraining()) throw stopping();
      const values = toRecords(parseJsonText(decodeUtf8(bytes), { maxDepth: MAX_BODY_DEPTH }));
      // G3: the reply says that the list is durable.
      await batcher.addRecords({ requestId, values });
      instruments?.received(VIA.tcp, values.length, bytes.length);
      const durationMs = Math.round(performance.now() - begunAt);
      log.info({ requestId, records: values.length, durationMs }, 'list taken');
      return savedReply(values);
    } catch (thrown) {
      const inOurLog = `It is not known whether the list was taken; our log has more, under ${requestId}`;
      const error = toClientError(thrown, inOurLog);
      const { code, entry } = error;
      if (code === 'internal') log.error({ requestId, code, err: thrown }, 'list failed');
      else if ((entry.status ?? 0) >= 500) log.warn({ requestId, code, err: error }, 'list refused');
      // Never the detail of a client's mistake: it may quote records.
      else log.info({ requestId, code }, 'list refused');
      return errorReply(error, isForLogOnly(error) ? inOurLog : error.message);
    }
  };
}

/** What a client is told whose list comes when this process is about to stop. */
export function stopping(): KeepapartError {
  return new KeepapartError('not-ready', 'This process is about to stop; nothing was taken');
}
