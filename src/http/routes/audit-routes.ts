import type { RequestHandler } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import { AUDIT_BOUNDS } from '../../contracts/workflow/audit';
import { KIB } from '../../domain/duration';
import { counted } from '../../domain/format';
import { validate } from '../../edge/problems';
import { jsonBodyReader } from '../body/json-body';
import { auditSchema, auditsSchema } from '../../contracts/api/answers/audits';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import { operatorBodySchema } from '../openapi/schemas';
import { operatorOf } from './operator-routes';
import type { Routes } from './routing';

/** `POST /v1/audits`, with an optional body `{"by": "…"}`, and `GET /v1/audits`. */
export function serveAudits(routes: Routes, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({ maxBytes: 4 * KIB, maxDepth: 2 });
  const start: RequestHandler = async (req, res) => {
    const body = await readBody(req);
    const problem = 'The body is not valid; no audit was started';
    const { by } = validate(operatorBodySchema, body === undefined ? {} : body, problem);
    res.status(202).json(await batcher.startAudit(operatorOf(res, by)));
  };
  const list: RequestHandler = async (_req, res) => {
    res.json(await batcher.audits());
  };
  routes.serve('/audits', {
    get: { right: 'read', handle: list, describe: LIST_AUDITS },
    post: { right: 'operate', handle: start, describe: START_AUDIT },
  });
}

const { files, outcomes, batches } = AUDIT_BOUNDS;

const LIST_AUDITS: Operation = {
  operationId: 'listAudits',
  summary: 'Returns the latest audits, with the progress of the one that runs',
  description: 'The latest first, at most ten, as long as Temporal keeps them. Needs no worker.',
  answer: { status: 200, schema: auditsSchema },
};

const START_AUDIT: Operation = {
  operationId: 'startAudit',
  summary: 'Has a worker check its batch files against the guarantees',
  description:
    `Like \`keepapart audit --temporal\`, but at a quarter of a core at most, and bounded: the newest ${counted(files, 'file')}, ` +
    `${counted(outcomes, 'outcome')} and ${counted(batches, 'batch')}. ` +
    'It changes nothing. While an audit runs, that one is returned. If its worker ' +
    'is killed, another one begins it again.',
  body: {
    required: false,
    content: { [JSON_TYPE]: { schema: operatorBodySchema, example: { by: 'Ann' } } },
  },
  answer: { status: 202, schema: auditSchema },
};
