import type { RequestHandler, Router } from 'express';
import type { BatcherClient } from '../contracts/batcher-client';
import { KIB } from '../domain/duration';
import { deadLettersQuerySchema, redriveBodySchema } from './dead-letter-schemas';
import { jsonBodyReader } from './json-body';
import { operatorOf } from './operator-routes';
import { validate } from '../edge/problems';
import { serve } from './routing';

/** Room for as many recordIds as one redrive may name. */
const MAX_BODY_BYTES = 512 * KIB;

/** `GET /v1/dead-letters`, `POST /v1/dead-letters/redrive`. */
export function serveDeadLetters(router: Router, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({ maxBytes: MAX_BODY_BYTES, maxDepth: 3 });

  const getDeadLetters: RequestHandler = async (req, res) => {
    // Copied, as for batches. Fields are parameter names.
    const query = { ...req.query };
    const filter = validate(deadLettersQuerySchema, query, 'The query is not valid', (path) =>
      path.join('.'),
    );
    res.json(await batcher.deadLetters(filter));
  };

  const redrive: RequestHandler = async (req, res) => {
    const body = await readBody(req, res);
    const { by: claimed, selection } = validate(
      redriveBodySchema,
      body,
      'The body is not valid; nothing was sent',
    );
    const by = operatorOf(res, claimed);
    res.status(202).json({ ...(await batcher.redrive(selection, by)), by });
  };

  serve(router, '/dead-letters', { get: { right: 'read', handle: getDeadLetters } });
  serve(router, '/dead-letters/redrive', { post: { right: 'operate', handle: redrive } });
}
