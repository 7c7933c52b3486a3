import type { RequestHandler } from 'express';
import { z } from 'zod';
import { KIB, MINUTE, SECOND } from '../../domain/duration';
import { drainReportSchema } from '../../contracts/api/answers/drain';
import { isClientThere } from '../body/client-presence';
import type { HttpDeps } from '../deps';
import { jsonBodyReader } from '../body/json-body';
import { operatorOf } from './operator-routes';
import { validate } from '../../edge/problems';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { operatorField } from '../openapi/schemas';

const MAX_TIMEOUT_MS = 10 * MINUTE;
const TIMEOUT_EXPECTED = { error: `a whole number of milliseconds from 0 to ${MAX_TIMEOUT_MS}` };

const drainBodySchema = z.strictObject(
  {
    ...operatorField,
    timeoutMs: z
      .int(TIMEOUT_EXPECTED)
      .min(0, TIMEOUT_EXPECTED)
      .max(MAX_TIMEOUT_MS, TIMEOUT_EXPECTED)
      .default(30 * SECOND),
  },
  { error: 'an object' },
);

/**
 * `POST /v1/drain`: answers when everything accepted before has its outcome, the time is over, or a paused shard blocks
 * it. Stops waiting when the client disconnects or this process shuts down.
 */
export function serveDrain(routes: Routes, { batcher, isDraining }: HttpDeps): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  const drain: RequestHandler = async (req, res) => {
    // No body counts as an empty object; null is refused.
    const body = await readBody(req);
    const { by: claimed, timeoutMs } = validate(
      drainBodySchema,
      body === undefined ? {} : body,
      'The body is not valid; nothing was done',
    );
    const stillWanted = () => isClientThere(req) && !isDraining();
    res.json(await batcher.drain(operatorOf(res, claimed), { timeoutMs, stillWanted }));
  };
  routes.serve('/drain', { post: { right: 'operate', handle: drain, describe: DRAIN } });
}

const DRAIN: Operation = {
  operationId: 'drain',
  summary: 'Flushes everything that is buffered, and waits until it has its outcome',
  body: {
    required: false,
    content: { [JSON_TYPE]: { schema: drainBodySchema, example: { by: 'Ann', timeoutMs: 60_000 } } },
  },
  answer: { status: 200, schema: drainReportSchema },
};
