import { randomUUID } from 'node:crypto';
import type { RequestHandler, Router } from 'express';
import { recordIdOf } from '../domain/record';
import { MAX_BODY_DEPTH, recordsReader } from '../edge/records';
import type { HttpDeps } from './deps';
import { idempotencyKeyOf } from './idempotency-key';
import { jsonBodyReader } from './json-body';
import { isNdjson } from './ndjson-body';
import { takeStream } from './record-stream-route';
import { serve } from './routing';

/** `POST /v1/records`. */
export function serveRecords(router: Router, deps: HttpDeps): void {
  const { batcher, limits, newRequestId = randomUUID } = deps;
  const readBody = jsonBodyReader({ maxBytes: limits.maxRequestBytes, maxDepth: MAX_BODY_DEPTH });
  const toRecords = recordsReader(limits);

  const addRecords: RequestHandler = async (req, res) => {
    const key = idempotencyKeyOf(req.headers);
    const values = toRecords(await readBody(req, res));
    const requestId = key ?? newRequestId();
    // G3: nothing is acknowledged before this has resolved.
    await batcher.addRecords({ requestId, values }, { once: key !== undefined });
    res
      .status(202)
      .location(`/v1/requests/${encodeURIComponent(requestId)}`)
      .json({
        requestId,
        accepted: values.length,
        records: values.map((value, index) => ({ recordId: recordIdOf(requestId, index), value })),
      });
  };
  const addStream = takeStream(deps);
  const add: RequestHandler = (req, res, next) => (isNdjson(req) ? addStream : addRecords)(req, res, next);
  serve(router, '/records', { post: { right: 'ingest', handle: add } });
}
