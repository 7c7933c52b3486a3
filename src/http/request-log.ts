import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { SECOND } from '../domain/duration';
import { keyNameOf } from './guards/auth';
import type { HttpInstruments } from '../contracts/instruments';
import type { Step } from './steps';

/** An id from outside is taken over when it can do no harm in a log, a header or a URN. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const PROBES = ['/healthz', '/readyz', '/metrics'];

/** What the log says of a request. Chosen, rather than hidden: no headers, where keys are, no query, no bodies. */
export interface LoggedRequest {
  id: string;
  method: string;
  path: string;
  /** Of the client, or of the proxy before us. */
  address?: string;
}

const logged = new WeakMap<IncomingMessage, LoggedRequest>();

/**
 * One log line per request, when its answer is out or the client has gone, with the id that `X-Request-Id` answers.
 * Probes and scrapes are logged at `debug`.
 * @param instruments told of each request
 */
export function requestLog(logger: Logger, instruments?: HttpInstruments): Step {
  return (req, res) => {
    // Kept now, as a connection that is gone has none.
    const { remoteAddress: address } = req.socket;
    const request = {
      ...{ id: incomingOrNewId(req), method: req.method ?? '', path: pathOf(req.url ?? '') },
      ...(address !== undefined && { address }),
    };
    logged.set(req, request);
    res.setHeader('X-Request-Id', request.id);
    const begunAtMs = performance.now();
    // Comes after the answer as well.
    res.once('close', () => {
      const key = keyNameOf(res);
      const tookMs = performance.now() - begunAtMs;
      const { statusCode } = res;
      const [method, route] = [request.method, routeOf(res)];
      instruments?.requestEnded({ method, route, status: statusCode, seconds: tookMs / SECOND });
      const line = {
        req: request,
        ...(key !== undefined && { key }),
        res: { statusCode },
        responseTime: Math.round(tookMs),
      };
      logger[levelOf(request, res)](line, res.writableFinished ? 'request completed' : 'request aborted');
    });
  };
}

const TELL_EVERY_MS = 10 * SECOND;

/** Warns of requests that were refused for want of a key: how many and from where, at most once in ten seconds. */
export function tellOfStrangers(logger: Logger): Step {
  let refused = 0;
  let toldAtMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const tell = (address: string | undefined) => {
    timer = undefined;
    toldAtMs = performance.now();
    logger.warn(
      { refused, address },
      `${refused} without a key in force were refused; the last from ${address ?? '?'}`,
    );
    refused = 0;
  };
  return (req, res) => {
    const { remoteAddress } = req.socket;
    res.once('close', () => {
      if (res.statusCode !== 401) return;
      refused++;
      if (timer !== undefined) return;
      const waitMs = toldAtMs + TELL_EVERY_MS - performance.now();
      if (waitMs <= 0) tell(remoteAddress);
      else timer = setTimeout(tell, waitMs, remoteAddress).unref();
    });
  };
}

function levelOf({ path }: LoggedRequest, res: ServerResponse): 'debug' | 'info' | 'warn' {
  // Of those without a key, `tellOfStrangers` says how many: each by itself would let anybody fill the disk.
  if (PROBES.includes(path) || res.statusCode === 401) return 'debug';
  return res.statusCode >= 500 ? 'warn' : 'info';
}

const routes = new WeakMap<ServerResponse, string>();

/** Notes which route a request has come to, as the API describes it. */
export function noteRoute(route: string): Step {
  return (_req, res) => void routes.set(res, route);
}

/** The route that {@link noteRoute} has noted for the request of this answer. */
function routeOf(res: ServerResponse): string | undefined {
  return routes.get(res);
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
