import type { RequestHandler, Response } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { actionSchema } from '../openapi/answers';
import { keyNameOf } from '../guards/auth';
import { jsonBodyReader } from '../body/json-body';
import { validate } from '../../edge/problems';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { operatorBodySchema } from '../openapi/schemas';

const ACTIONS = [
  ['flush', 'Lets everything that is buffered go now'],
  ['pause', 'Holds new batches back; records are taken all the same'],
  ['resume', 'Lets batches start again after a pause'],
] as const;

/**
 * Who does something by hand: the holder of the API key where keys are needed, which nobody can claim in a body; else
 * what the body says; else `anonymous`.
 */
export function operatorOf(res: Response, claimed: string | undefined): string {
  return keyNameOf(res) ?? claimed ?? 'anonymous';
}

/** `POST /v1/flush`, `/v1/pause`, `/v1/resume`, with an optional body `{"by": "…"}`. Who it was is kept. */
export function serveOperator(routes: Routes, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  for (const [action, summary] of ACTIONS) {
    const act: RequestHandler = async (req, res) => {
      // None at all is an empty one; null is another matter.
      const body = await readBody(req);
      const claimed = validate(
        operatorBodySchema,
        body === undefined ? {} : body,
        'The body is not valid; nothing was done',
      ).by;
      const by = operatorOf(res, claimed);
      await batcher[action](by);
      res.status(202).json({ accepted: true, action, by });
    };
    const describe: Operation = {
      operationId: action,
      summary,
      body: {
        required: false,
        content: { [JSON_TYPE]: { schema: operatorBodySchema, example: { by: 'Ann' } } },
      },
      answer: { status: 202, schema: actionSchema },
    };
    routes.serve(`/${action}`, { post: { right: 'operate', handle: act, describe } });
  }
}
