import type { RequestHandler } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import {
  deadLetterGroupsSchema,
  deadLetterPageSchema,
  redriveAnswerSchema,
  type RedriveAnswer,
} from '../../contracts/api/answers/dead-letters';
import { deadLettersQuerySchema, redriveBodySchema } from '../openapi/dead-letter-schemas';
import { jsonBodyReader } from '../body/json-body';
import { operatorOf } from './operator-routes';
import { validate } from '../../edge/problems';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';

/** Enough for as many recordIds as one redrive may name. */
const MAX_BODY_BYTES = 512 * KIB;

/** `GET /v1/dead-letters`, `POST /v1/dead-letters/redrive`. */
export function serveDeadLetters(routes: Routes, batcher: BatcherClient): void {
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
    const body = await readBody(req);
    const { by: claimed, selection } = validate(
      redriveBodySchema,
      body,
      'The body is not valid; nothing was sent',
    );
    const by = operatorOf(res, claimed);
    const result = await batcher.redrive(selection, by);
    res.status(202).json({ ...result, by } satisfies RedriveAnswer);
  };

  const getGroups: RequestHandler = async (_req, res) => {
    res.json(await batcher.deadLetterGroups());
  };

  routes.serve('/dead-letters', { get: { right: 'read', handle: getDeadLetters, describe: LIST } });
  routes.serve('/dead-letters/groups', { get: { right: 'read', handle: getGroups, describe: GROUPS } });
  routes.serve('/dead-letters/redrive', { post: { right: 'operate', handle: redrive, describe: REDRIVE } });
}

const LIST: Operation = {
  operationId: 'listDeadLetters',
  summary: 'Lists records that were rolled back, those of the most recently closed batch first',
  description:
    '`limit` counts batches with such records; a page has all of their records that match, possibly none.',
  query: deadLettersQuerySchema,
  answer: { status: 200, schema: deadLetterPageSchema },
  errors: ['invalid-request', 'not-found'],
};

const GROUPS: Operation = {
  operationId: 'listDeadLetterGroups',
  summary: 'Counts the dead letters that were not sent again, by error',
  description:
    'Counted at most every five seconds. `error` of a group can be redriven as a whole. Of more than 10,000 dead letters ' +
    'the latest are counted.',
  answer: { status: 200, schema: deadLetterGroupsSchema },
};

const REDRIVE: Operation = {
  operationId: 'redriveDeadLetters',
  summary: 'Sends dead letters again: those named, those of a batch, a request or an error, or all',
  description: 'Each is sent at most once; conflicts are checked again. Repeating the call sends the rest.',
  body: {
    required: true,
    content: {
      [JSON_TYPE]: { schema: redriveBodySchema, example: { records: ['order-4711:0'], by: 'Ann' } },
    },
  },
  answer: { status: 202, schema: redriveAnswerSchema },
  errors: ['dead-letter-not-found', 'buffer-full'],
};
