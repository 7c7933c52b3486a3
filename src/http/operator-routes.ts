import type { RequestHandler, Response, Router } from 'express';
import type { BatcherClient } from '../contracts/batcher-client';
import { KIB } from '../domain/duration';
import { keyNameOf } from './auth';
import { jsonBodyReader } from './json-body';
import { validate } from '../edge/problems';
import { serve } from './routing';
import { operatorBodySchema } from './schemas';

const ACTIONS = ['flush', 'pause', 'resume'] as const;

/**
 * Who does something by hand: the holder of the API key where keys are needed, which nobody can claim in a body; else
 * what the body says; else `anonymous`.
 */
export function operatorOf(res: Response, claimed: string | undefined): string {
  return keyNameOf(res) ?? claimed ?? 'anonymous';
}

/** `POST /v1/flush`, `/v1/pause`, `/v1/resume`, with an optional body `{"by": "…"}`. Who it was is kept. */
export function serveOperator(router: Router, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  for (const action of ACTIONS) {
    const act: RequestHandler = async (req, res) => {
      const body = (await readBody(req, res)) ?? {};
      const claimed = validate(operatorBodySchema, body, 'The body is not valid; nothing was done').by;
      const by = operatorOf(res, claimed);
      await batcher[action](by);
      res.status(202).json({ accepted: true, action, by });
    };
    serve(router, `/${action}`, { post: { right: 'operate', handle: act } });
  }
}
