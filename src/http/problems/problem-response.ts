import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { HttpInstruments } from '../../contracts/instruments';
import type { Log } from '../../contracts/log';
import { SECOND } from '../../domain/duration';
import { ERRORS, KeepapartError } from '../../domain/errors';
import { isForLogOnly, retryAfterMsOf, toClientError } from '../../edge/refusals';
import { httpRequestId, loggedRequest } from '../request-log';

export const PROBLEM_TYPE = 'application/problem+json';

const IN_OUR_LOG = 'What happened is in our log, under the id in X-Request-Id';

/** Refuses any path without a route. */
export const notFound: RequestHandler = (req) => {
  throw new KeepapartError('not-found', `There is nothing at ${req.path}`);
};

/** Answers a thrown error. False if it is too late, because an answer has begun. */
export type ProblemResponse = (thrown: unknown, req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Answers every error as problem details (RFC 9457), `application/problem+json`. An error that isn't from the catalogue
 * becomes `internal`: logged completely, answered without details.
 * @param instruments counts each refusal
 */
export function problemResponse(logger: Log, instruments?: HttpInstruments): ProblemResponse {
  return (thrown, req, res) => {
    const error = toCatalogued(thrown);
    const { code } = error;
    const { title, status = ERRORS.internal.status } = error.entry;
    // Never the detail of a client's error: it may quote records.
    const about = { req: loggedRequest(req), code };
    if (code === 'internal') logger.error({ ...about, err: thrown }, title);
    else if (status >= 500) logger.warn({ ...about, err: error }, title);
    else logger.debug(about, title);
    if (res.headersSent) return false;

    instruments?.refused(code);
    sendProblem(res, error, httpRequestId(req));
    return true;
  };
}

/** Sends an error as the answer. `requestId` is that of {@link problemOf}. */
export function sendProblem(res: ServerResponse, error: KeepapartError, requestId?: string): void {
  const { status = ERRORS.internal.status } = error.entry;
  const body = JSON.stringify(problemOf(error, requestId));
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== undefined) res.setHeader('Retry-After', String(Math.ceil(retryAfterMs / SECOND)));
  res.statusCode = status;
  res.setHeader('Content-Type', `${PROBLEM_TYPE}; charset=utf-8`);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}

/**
 * The last handler of an app. If it is too late for an answer, Express cuts the connection, so that nobody mistakes
 * half an answer for the whole.
 */
export function lastHandler(answer: ProblemResponse): ErrorRequestHandler {
  return (thrown, req, res, next) => {
    if (!answer(thrown, req, res)) next(thrown);
  };
}

/** The body of the answer. Without an id there is no `instance`, because the bytes received were not a request. */
export function problemOf(error: KeepapartError, requestId?: string): object {
  const { code, problems } = error;
  const { title, status = ERRORS.internal.status } = error.entry;
  return {
    type: `urn:keepapart:error:${code}`,
    title,
    status,
    detail: isForLogOnly(error) ? IN_OUR_LOG : error.message,
    ...(requestId !== undefined && { instance: `urn:keepapart:http-request:${requestId}` }),
    code,
    ...(problems.length > 0 && { problems }),
    ...error.progress,
  };
}

function toCatalogued(thrown: unknown): KeepapartError {
  if (thrown instanceof Object && 'name' in thrown && thrown.name === 'URIError')
    return new KeepapartError('not-found', 'The path is not valid percent-encoding');
  return toClientError(thrown, IN_OUR_LOG);
}
