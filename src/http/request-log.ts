import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SECOND } from '../domain/duration';
import { isFromStranger, keyNameOf } from './guards/auth';
import type { HttpInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import { traceIdOf } from './request-trace';
import type { Step } from './steps';

/** An id from a client is kept if it is safe in a log, a header and a URN. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const PROBES = ['/healthz', '/readyz', '/metrics'];

/** What is logged about a request. An allowlist: no headers, which contain keys, no query, no bodies. */
export interface LoggedRequest {
  id: string;
  method: string;
  path: string;
  /** Address of the client, or of the proxy in front. */
  address?: string;
}

const logged = new WeakMap<IncomingMessage, LoggedRequest>();

/**
 * Logs one line per request, when its answer is sent or the client has disconnected, with the id of `X-Request-Id`.
 * Probes and scrapes are logged at `debug`.
 * @param instruments counts each request
 */
export function requestLog(logger: Log, instruments?: HttpInstruments): Step {
  return (req, res) => {
    // Read now, because a closed connection has no address.
    const { remoteAddress: address } = req.socket;
    const request = {
      ...{ id: incomingOrNewId(req), method: req.method ?? '', path: pathOf(req.url ?? '') },
      ...(address !== undefined && { address }),
    };
    logged.set(req, request);
    res.setHeader('X-Request-Id', request.id);
    const begunAtMs = performance.now();
    // Also emitted after the answer.
    res.once('close', () => {
      const key = keyNameOf(res);
      const tookMs = performance.now() - begunAtMs;
      const { statusCode } = res;
      const traceId = traceIdOf(req);
      const [method, route] = [request.method, routeOf(res)];
      instruments?.requestEnded({ method, route, status: statusCode, seconds: tookMs / SECOND });
      const line = {
        req: request,
        ...(key !== undefined && { key }),
        res: { statusCode },
        ...(traceId !== undefined && { trace_id: traceId }),
        responseTime: Math.round(tookMs),
      };
      logger[levelOf(request, res)](line, res.writableFinished ? 'request completed' : 'request aborted');
    });
  };
}

const TELL_EVERY_MS = 10 * SECOND;

/**
 * Warns about requests that were refused because they had no valid key: how many and from where, at most once in ten
 * seconds.
 */
export function tellOfStrangers(logger: Log): Step {
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
      if (!isFromStranger(res)) return;
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
  if (PROBES.includes(path) || isFromStranger(res)) return 'debug';
  return res.statusCode >= 500 ? 'warn' : 'info';
}

const routes = new WeakMap<ServerResponse, string>();

/** Stores the route of a request, as the API describes it. */
export function noteRoute(route: string): Step {
  return (_req, res) => void routes.set(res, route);
}

/** The route stored by {@link noteRoute} for the request of this answer. */
function routeOf(res: ServerResponse): string | undefined {
  return routes.get(res);
}

/** For further log lines about a request. */
export function loggedRequest(req: IncomingMessage): LoggedRequest | undefined {
  return logged.get(req);
}

/** The value of `X-Request-Id`, also logged. Identifies an HTTP request, not a list of records. */
export function httpRequestId(req: IncomingMessage): string {
  return logged.get(req)?.id ?? '';
}

function incomingOrNewId(req: IncomingMessage): string {
  const incoming = req.headers['x-request-id'];
  return typeof incoming === 'string' && SANE_REQUEST_ID.test(incoming) ? incoming : randomUUID();
}

/** The path of a request's target, without the query, and without host and user if the target is in a proxy's form. */
export function pathOf(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  return path.startsWith('/') || !URL.canParse(path) ? path : new URL(path).pathname;
}
