import type { RequestHandler, Router } from 'express';
import { z } from 'zod';
import { KIB, MINUTE, SECOND } from '../domain/duration';
import type { HttpDeps } from './deps';
import { jsonBodyReader } from './json-body';
import { operatorOf } from './operator-routes';
import { validate } from '../edge/problems';
import { serve } from './routing';
import { operatorField } from './schemas';

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
 * `POST /v1/drain`: answers when everything that was accepted before has its outcome, the time is over, or a paused shard
 * holds it up. Nobody waits any more once the client has gone or this process is about to stop.
 */
export function serveDrain(router: Router, { batcher, isDraining }: HttpDeps): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  const drain: RequestHandler = async (req, res) => {
    const body = (await readBody(req, res)) ?? {};
    const { by: claimed, timeoutMs } = validate(
      drainBodySchema,
      body,
      'The body is not valid; nothing was done',
    );
    const stillWanted = () => !res.destroyed && !isDraining();
    res.json(await batcher.drain(operatorOf(res, claimed), { timeoutMs, stillWanted }));
  };
  serve(router, '/drain', { post: { right: 'operate', handle: drain } });
}
