import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { VIA } from '../../contracts/instruments';
import { recordIdOf } from '../../domain/records/record';
import { MAX_BODY_DEPTH, recordEnvelopeSchema, recordListSchema, recordsReader } from '../../edge/records';
import type { RecordLimits } from '../../edge/records';
import {
  acceptedListSchema,
  acceptedStreamSchema,
  type AcceptedRecords,
} from '../../contracts/api/answers/simple';
import type { AcceptedLists } from '../accepted-lists';
import type { HttpDeps } from '../deps';
import type { PlainHandler } from '../fast-path';
import { mountOf } from '../mount';
import { httpRequestId } from '../request-log';
import { noteInTrace, tracedRequest } from '../request-trace';
import { idempotencyKeySchema, keyedRequestIdOf } from '../body/idempotency-key';
import { jsonBodyReader } from '../body/json-body';
import { NDJSON, isNdjson } from '../body/ndjson-body';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import { takeStream } from './record-stream-route';
import type { Routes } from './routing';

/** Below `/v1`. */
export const RECORDS_PATH = '/records';

/** `POST /v1/records` with a list. */
function takeList(deps: HttpDeps, accepted: AcceptedLists): PlainHandler {
  const { batcher, limits, instruments, newRequestId = randomUUID } = deps;
  const readBody = jsonBodyReader({ maxBytes: limits.maxRequestBytes, maxDepth: MAX_BODY_DEPTH });
  const toRecords = recordsReader(limits);

  return async (req, res) => {
    const keyedId = keyedRequestIdOf(req, res);
    let bytes = 0;
    const { values, bytes: valueBytes } = toRecords(await readBody(req, (size) => (bytes = size)));
    const requestId = keyedId ?? newRequestId();
    // G3: nothing is acknowledged before this has resolved.
    const request = { requestId, values, bytes: valueBytes, ...tracedRequest(req) };
    await batcher.addRecords(request, { once: keyedId !== undefined });
    instruments?.received(VIA.http, values.length, bytes);
    accepted.note(httpRequestId(req), requestId);
    noteInTrace(req, { requestId, records: values.length });
    const records = values.map((value, index) => ({ recordId: recordIdOf(requestId, index), value }));
    const answer = JSON.stringify({
      requestId,
      accepted: values.length,
      records,
    } satisfies AcceptedRecords);
    res.statusCode = 202;
    res.setHeader('Location', `${mountOf(req)}/v1/requests/${encodeURIComponent(requestId)}`);
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Content-Length', Buffer.byteLength(answer));
    res.end(answer);
  };
}

/** `POST /v1/records`. */
export function serveRecords(routes: Routes, deps: HttpDeps, accepted: AcceptedLists): void {
  const addList = takeList(deps, accepted);
  const addStream = takeStream(deps, accepted);
  const add: RequestHandler = (req, res, next) =>
    isNdjson(req) ? addStream(req, res, next) : addList(req, res);
  routes.serve(RECORDS_PATH, {
    post: {
      right: 'ingest',
      handle: add,
      fast: { contentType: JSON_TYPE, handle: addList },
      describe: describeRecords(deps.limits),
    },
  });
}

function describeRecords(limits: RecordLimits): Operation {
  return {
    operationId: 'addRecords',
    summary: 'Accepts a list of records, or a stream of any length; 202 once they are durable',
    description:
      'A list is accepted as a whole or not at all. A stream has one record per line and any length. A broken stream ' +
      'is refused with the number of its first records that are durable, and resumes there when it is sent again under ' +
      'the same key. Whatever is answered with 202 is durable.',
    headers: z.object({ 'Idempotency-Key': idempotencyKeySchema }),
    body: {
      required: true,
      content: {
        [JSON_TYPE]: {
          schema: z.union([recordListSchema(limits), recordEnvelopeSchema(limits)]),
          example: [1, 2, { sku: 'a-1' }],
        },
        [NDJSON]: {
          schema: z.string().meta({ description: 'One record per line, in UTF-8; blank lines are ignored' }),
          example: '1\n2\n{"sku":"a-1"}\n',
        },
      },
    },
    answer: {
      status: 202,
      schema: z.union([acceptedListSchema, acceptedStreamSchema]),
      headers: z.object({
        Location: z.string().meta({ description: 'Where the outcomes will be available' }),
      }),
    },
    errors: ['buffer-full', 'idempotency-key-reused', 'stream-overtaken'],
  };
}
