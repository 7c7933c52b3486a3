import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** An id from outside is taken over when it can do no harm in a log, a header or a URN. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const PROBES = ['/healthz', '/readyz'];

/**
 * One log line per request, with the id that `X-Request-Id` answers. What is logged is chosen, rather than hidden:
 * method, path and status; no headers, where keys are, no query, no bodies. Probes are logged at `debug`.
 */
export function requestLog(logger: Logger): RequestHandler {
  const log = pinoHttp<Request, Response>({
    logger,
    genReqId: incomingOrNewId,
    wrapSerializers: false,
    serializers: {
      req: (req: Request) => ({ id: req.id, method: req.method, path: req.path }),
      res: (res: ServerResponse) => ({ statusCode: res.statusCode }),
    },
    customLogLevel: (req, res) => {
      if (PROBES.includes(req.path)) return 'debug';
      return res.statusCode >= 500 ? 'warn' : 'info';
    },
    // The error itself is logged where it is answered; a second line with a made-up stack would tell nothing.
    customErrorObject: (_req, res, _error, value: { responseTime: number }) => ({
      res,
      responseTime: value.responseTime,
    }),
    customErrorMessage: () => 'request completed',
  });
  return (req, res, next) => {
    log(req, res);
    res.set('X-Request-Id', httpRequestId(req));
    next();
  };
}

/** What `X-Request-Id` answers and the log has: of one HTTP request, not of a list of records. */
export function httpRequestId(req: IncomingMessage): string {
  return typeof req.id === 'string' ? req.id : '';
}

function incomingOrNewId(req: IncomingMessage): string {
  const incoming = req.headers['x-request-id'];
  return typeof incoming === 'string' && SANE_REQUEST_ID.test(incoming) ? incoming : randomUUID();
}
