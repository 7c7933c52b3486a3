import type { RequestHandler, Response } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { actionSchema, type OperatorAnswer } from '../../contracts/api/answers/simple';
import { keyNameOf } from '../guards/auth';
import { jsonBodyReader } from '../body/json-body';
import { validate } from '../../edge/problems';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { operatorBodySchema } from '../openapi/schemas';

const ACTIONS = [
  ['flush', 'Flushes everything that is buffered, regardless of its age'],
  ['pause', 'Starts no more batches; records are still accepted'],
  ['resume', 'Starts batches again after a pause'],
] as const;

/**
 * The operator's name: that of the API key if keys are required, which a body can't override; else the one in the body;
 * else `anonymous`.
 */
export function operatorOf(res: Response, claimed: string | undefined): string {
  return keyNameOf(res) ?? claimed ?? 'anonymous';
}

/**
 * `POST /v1/flush`, `/v1/pause`, `/v1/resume`, with an optional body `{"by": "…"}`. The operator's name is recorded.
 */
export function serveOperator(routes: Routes, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  for (const [action, summary] of ACTIONS) {
    const act: RequestHandler = async (req, res) => {
      // No body counts as an empty object; null is refused.
      const body = await readBody(req);
      const claimed = validate(
        operatorBodySchema,
        body === undefined ? {} : body,
        'The body is not valid; nothing was done',
      ).by;
      const by = operatorOf(res, claimed);
      await batcher[action](by);
      res.status(202).json({ accepted: true, action, by } satisfies OperatorAnswer);
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
