import type { RequestHandler } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { isObject, type JsonValue } from '../../domain/json';
import { problemsOfLimitsPatch, type LimitsPatch } from '../../domain/limits';
import { MAX_RECORD_DEPTH } from '../../domain/records/record';
import { check, ProblemList } from '../../edge/problems';
import { jsonBodyReader } from '../body/json-body';
import { operatorOf } from './operator-routes';
import { JSON_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { operatorBodySchema } from '../openapi/schemas';
import { limitsAnswerSchema } from '../../contracts/api/answers/limits';
import { limitsPatchSchema } from '../openapi/schemas';

/** Enough for the maximum of rules, however they are formatted. */
const MAX_BODY_BYTES = 256 * KIB;
/**
 * Rules contain record values; the deepest are in a list, in a selector, in `never`, in a rule, in a list, in the
 * patch.
 */
const MAX_DEPTH = MAX_RECORD_DEPTH + 6;

const TYPES = ['application/merge-patch+json', JSON_TYPE];

const REFUSED = 'The limits are not valid; nothing was changed';

/** `PATCH /v1/limits`: a JSON merge patch (RFC 7396) of the limits in force, and perhaps `by`. */
export function serveLimits(routes: Routes, batcher: BatcherClient): void {
  const readBody = jsonBodyReader({
    maxBytes: MAX_BODY_BYTES,
    maxDepth: MAX_DEPTH,
    types: TYPES,
  });
  const change: RequestHandler = async (req, res) => {
    const { patch, claimed } = parsePatch(await readBody(req));
    res.json(await batcher.changeLimits(patch, operatorOf(res, claimed)));
  };
  routes.serve('/limits', { patch: { right: 'operate', handle: change, describe: CHANGE } });
}

const BODY = { schema: limitsPatchSchema, example: { maxBatchSize: 20, flushIntervalMs: null, by: 'Ann' } };
const CHANGE: Operation = {
  operationId: 'changeLimits',
  summary: 'Changes limits at runtime and returns the limits in force',
  description:
    'A JSON merge patch (RFC 7396). A limit set here overrides the configuration until it is reset with null.',
  body: { required: true, content: Object.fromEntries(TYPES.map((type) => [type, BODY])) },
  answer: { status: 200, schema: limitsAnswerSchema },
  errors: ['limits-incomplete'],
};

/** Throws `invalid-request` with all problems. */
function parsePatch(body: JsonValue | undefined): { patch: LimitsPatch; claimed: string | undefined } {
  const problems = new ProblemList();
  const { by, ...limits } = isObject(body) ? body : {};
  if (!isObject(body)) check(problems, operatorBodySchema, body);
  const operator = check(problems, operatorBodySchema, by === undefined ? {} : { by });
  for (const problem of problemsOfLimitsPatch(limits)) problems.add(() => problem);
  problems.throwIfAny(REFUSED);
  return { patch: limits, claimed: operator?.by };
}
