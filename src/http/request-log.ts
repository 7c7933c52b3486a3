import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Step } from './steps';

/** An id from outside is taken over when it can do no harm in a log, a header or a URN. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const PROBES = ['/healthz', '/readyz'];

/** What the log says of a request. Chosen, rather than hidden: no headers, where keys are, no query, no bodies. */
export interface LoggedRequest {
  id: string;
  method: string;
  path: string;
}

const logged = new WeakMap<IncomingMessage, LoggedRequest>();

/**
 * One log line per request, when its answer is out or the client has gone, with the id that `X-Request-Id` answers.
 * Probes are logged at `debug`.
 */
export function requestLog(logger: Logger): Step {
  return (req, res) => {
    const request = { id: incomingOrNewId(req), method: req.method ?? '', path: pathOf(req.url ?? '') };
    logged.set(req, request);
    res.setHeader('X-Request-Id', request.id);
    const begunAtMs = performance.now();
    // Comes after the answer as well.
    res.once('close', () => {
      const line = {
        req: request,
        res: { statusCode: res.statusCode },
        responseTime: Math.round(performance.now() - begunAtMs),
      };
      logger[levelOf(request, res)](line, res.writableFinished ? 'request completed' : 'request aborted');
    });
  };
}

function levelOf({ path }: LoggedRequest, res: ServerResponse): 'debug' | 'info' | 'warn' {
  if (PROBES.includes(path)) return 'debug';
  return res.statusCode >= 500 ? 'warn' : 'info';
}

/** For further lines about a request. */
export function loggedRequest(req: IncomingMessage): LoggedRequest | undefined {
  return logged.get(req);
}

/** What `X-Request-Id` answers and the log has: of one HTTP request, not of a list of records. */
export function httpRequestId(req: IncomingMessage): string {
  return logged.get(req)?.id ?? '';
}

function incomingOrNewId(req: IncomingMessage): string {
  const incoming = req.headers['x-request-id'];
  return typeof incoming === 'string' && SANE_REQUEST_ID.test(incoming) ? incoming : randomUUID();
}

/** Of the target of a request: without its query, and without host and user where a proxy's form has them. */
export function pathOf(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  return path.startsWith('/') || !URL.canParse(path) ? path : new URL(path).pathname;
}
