import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { SECOND } from '../domain/duration';
import { ERRORS, KeepapartError } from '../domain/errors';
import { toClientError } from '../edge/refusals';
import { refuseCrossOrigin } from './guards/cross-origin';
import { requireHost } from './guards/host';
import { refuseMalformed } from './problems/malformed-requests';
import { PROBLEM_TYPE, problemOf } from './problems/problem-response';

export interface WebUiOptions {
  /** On the loopback interface; 0 picks a free one. */
  port: number;
  /** Accepted host names besides addresses and localhost. */
  allowedHosts: readonly string[];
  /** Where Temporal's Web UI listens, once it does. */
  target: () => { host: string; port: number } | undefined;
}

export interface WebUi {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  /** Cuts open connections; only pages in browsers have any. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** More than a few open tabs need. */
const MAX_CONNECTIONS = 256;

/** Headers about one connection, which end at a proxy (RFC 9110, section 7.6.1). */
const OF_CONNECTION = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/**
 * Guards the embedded server's Web UI, which answers whoever asks, under any name: a page in a browser that has its own
 * name lead to this machine could read every record and end every workflow. So people come here, where a request has to
 * be for an address, localhost or a name that is allowed, and where pages of other origins can't change anything.
 * Rejects as `server.listen` does.
 */
export async function startWebUi({ port, allowedHosts, target }: WebUiOptions): Promise<WebUi> {
  const requireOurHost = requireHost(allowedHosts);
  // An agent of its own, because the default one may be configured to use a proxy.
  const agent = new Agent({ keepAlive: true });
  const server = createServer({ headersTimeout: 10 * SECOND, requireHostHeader: false });
  server.maxConnections = MAX_CONNECTIONS;
  refuseMalformed(server);
  server.on('request', (req, res) => {
    try {
      requireOurHost(req, res);
      refuseCrossOrigin(req, res);
      const there = target();
      if (there === undefined) throw notThere();
      forward(req, res, { ...there, agent });
    } catch (error) {
      refuse(res, error);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  // Must not keep the process alive.
  server.unref();
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

function forward(
  req: IncomingMessage,
  res: ServerResponse,
  { host, port, agent }: { host: string; port: number; agent: Agent },
): void {
  const headers = { ...endToEnd(req.headers), host: `${host}:${port}` };
  const upstream = request({ host, port, agent, method: req.method ?? 'GET', path: pathOf(req), headers });
  upstream.once('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    // A broken answer is cut here as well, so that nobody mistakes a part of it for the whole.
    pipeline(answer, res, () => undefined);
  });
  upstream.on('error', () => refuse(res, notThere()));
  res.once('close', () => upstream.destroy());
  req.pipe(upstream);
}

/** The path of a target. One with a host, as sent to proxies, is treated as a target here. */
function pathOf({ url = '/' }: IncomingMessage): string {
  if (url.startsWith('/')) return url;
  if (!URL.canParse(url)) throw new KeepapartError('malformed-request', 'The target is no path');
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name) && !named.includes(name)),
  );
}

function notThere(): KeepapartError {
  return new KeepapartError('temporal-unavailable', "Temporal's Web UI doesn't answer");
}

function refuse(res: ServerResponse, thrown: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const error = toClientError(thrown, 'Nothing was done');
  const body = JSON.stringify(problemOf(error));
  res.writeHead(error.entry.status ?? ERRORS.internal.status, {
    'Content-Type': `${PROBLEM_TYPE}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
  });
  res.end(body);
}
