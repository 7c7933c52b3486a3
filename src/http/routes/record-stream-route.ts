import type { AcceptedStream } from '../../contracts/api/answers/simple';
import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { RecordStream } from '../../contracts/batcher-client';
import { VIA } from '../../contracts/instruments';
import { isKeepapartError, KeepapartError } from '../../domain/errors';
import { recordTextReader } from '../../edge/records';
import { dropBody, liftBodyTime } from '../body/body-deadline';
import { isClientThere } from '../body/client-presence';
import type { AcceptedLists } from '../accepted-lists';
import type { HttpDeps } from '../deps';
import { mountOf } from '../mount';
import { httpRequestId } from '../request-log';
import { noteInTrace, tracedRequest } from '../request-trace';
import { keyedRequestIdOf } from '../body/idempotency-key';
import { linesOf } from '../body/ndjson-body';
import { reportProgress } from './stream-progress';

/**
 * `POST /v1/records` with one record per line, any number of them. Acknowledged at the end, with counts only. A broken
 * stream is answered with how many records are durable, and resumes there when it is sent again under the same key.
 */
export function takeStream(deps: HttpDeps, lists: AcceptedLists): RequestHandler {
  const { batcher, limits, instruments, newRequestId = randomUUID, isDraining, streamIdleMs } = deps;
  const readRecord = recordTextReader(limits);
  const lines = {
    maxBytes: limits.maxRecordBytes,
    ...(streamIdleMs !== undefined && { idleMs: streamIdleMs }),
  };
  return async (req, res) => {
    const keyedId = keyedRequestIdOf(req, res);
    const requestId = keyedId ?? newRequestId();
    const stillWanted = () => !isDraining() && isClientThere(req);
    let stream: RecordStream | undefined;
    let bytes = 0;
    let endReports = (): void => undefined;
    const location = `${mountOf(req)}/v1/requests/${encodeURIComponent(requestId)}`;
    try {
      liftBodyTime(req);
      const options = { once: keyedId !== undefined, stillWanted, ...tracedRequest(req) };
      stream = await batcher.openStream(requestId, options);
      endReports = reportProgress(req, res, stream, location);
      let count = 0;
      for await (const { number, text } of linesOf(req, lines)) {
        if (isDraining()) throw new KeepapartError('not-ready', 'This process is about to stop');
        await stream.write(readRecord(text, `line ${number}`));
        count++;
        bytes += Buffer.byteLength(text);
      }
      if (count === 0) throw noRecords();
      const accepted = await stream.end();
      instruments?.received(VIA.ndjson, accepted, bytes);
      lists.note(httpRequestId(req), requestId);
      noteInTrace(req, { requestId, records: accepted });
      res
        .status(202)
        .location(location)
        .json({ requestId, accepted } satisfies AcceptedStream);
    } catch (error) {
      res.once('finish', () => dropBody(req));
      const accepted = (await stream?.durable()) ?? 0;
      if (accepted > 0) {
        instruments?.received(VIA.ndjson, accepted, bytes);
        noteInTrace(req, { requestId, records: accepted });
      }
      throw withProgress(error, { requestId, accepted });
    } finally {
      endReports();
    }
  };
}

function noRecords(): KeepapartError {
  return new KeepapartError('invalid-request', 'There are no records; none was taken', {
    problems: [{ field: '', expected: 'at least one record', received: 'no line with one' }],
  });
}

function withProgress(error: unknown, progress: { requestId: string; accepted: number }): unknown {
  if (!isKeepapartError(error)) return error;
  const { code, message, problems, retryAfterMs, cause } = error;
  return new KeepapartError(code, message, {
    problems,
    progress,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(cause !== undefined && { cause }),
  });
}
