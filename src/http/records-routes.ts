import { randomUUID } from 'node:crypto';
import type { RequestHandler, Router } from 'express';
import { KeepapartError } from '../domain/errors';
import { jsonBytes } from '../domain/json';
import type { JsonValue } from '../domain/json';
import { recordIdOf } from '../domain/record';
import type { HttpDeps, HttpLimits } from './deps';
import { idempotencyKeyOf } from './idempotency-key';
import { jsonBodyReader } from './json-body';
import { validate } from './problems';
import { serve } from './routing';
import { MAX_BODY_DEPTH, recordEnvelopeSchema, recordListSchema } from './schemas';

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
  serve(router, '/records', { post: addRecords });
}

/** A body, whichever of its two shapes it has, as the list of records that it holds; refused whole or not at all. */
function recordsReader(limits: HttpLimits): (body: JsonValue | undefined) => JsonValue[] {
  const list = recordListSchema(limits);
  const envelope = recordEnvelopeSchema(limits);
  const detail = 'The records are not valid; none was taken';
  return (body) => {
    const values = Array.isArray(body)
      ? validate(list, body, detail)
      : validate(envelope, body, detail).records;
    const bytes = jsonBytes(values);
    if (bytes > limits.maxRequestBytes) {
      const detail = `The records take ${bytes} bytes as compact JSON, more than ${limits.maxRequestBytes}`;
      throw new KeepapartError('request-too-large', detail);
    }
    return values;
  };
}
