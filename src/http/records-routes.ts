import { randomUUID } from 'node:crypto';
import type { RequestHandler, Router } from 'express';
import { KeepapartError } from '../domain/errors';
import { jsonBytes } from '../domain/json';
import type { JsonValue } from '../domain/json';
import { recordIdOf } from '../domain/record';
import type { HttpDeps, HttpLimits } from './deps';
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
    refuseIdempotencyKey(req.headers);
    const values = toRecords(await readBody(req, res));
    const requestId = newRequestId();
    // G3: nothing is acknowledged before this has resolved.
    await batcher.addRecords({ requestId, values });
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

/** Until it is honoured (G5): a client that sends the key relies on it, and must not be left to believe in it. */
function refuseIdempotencyKey(headers: NodeJS.Dict<string | string[]>): void {
  const received = headers['idempotency-key'];
  if (received === undefined) return;
  throw new KeepapartError('invalid-request', 'Idempotency-Key is not supported yet; nothing was taken', {
    problems: [{ field: 'Idempotency-Key', expected: 'no such header', received: String(received) }],
  });
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
