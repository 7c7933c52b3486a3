import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SECOND } from '../domain/duration';
import { limitBodyTime } from './body-deadline';
import { describeReceived, KeepapartError } from '../domain/errors';

export interface ListenOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  timeouts?: Partial<HttpTimeouts>;
}

/** How long a client may take, so that slow ones can't hold every connection. In milliseconds. */
export interface HttpTimeouts {
  /** To send the header of a request. */
  headersMs: number;
  /** To send a whole request but for a stream of records; bounds as well how long the rest of a refused body is dropped. */
  requestMs: number;
  /** Between two requests on one connection; above the 60 s after which common proxies drop theirs. */
  keepAliveMs: number;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = {
  headersMs: 10 * SECOND,
  requestMs: 30 * SECOND,
  keepAliveMs: 65 * SECOND,
};

export interface Listening {
  /** `http://<host>:<port>`, with the port that was picked. */
  url: string;
  port: number;
  /**
   * Stops accepting, closes idle connections at once and each other one when its request is answered; whatever runs
   * after `graceMs` is cut. Resolves when all are closed; calling it again waits for the same end.
   */
  close(options: { graceMs: number }): Promise<void>;
}

/**
 * Serves `handler` on a port. Rejects with `port-in-use` for a taken port, and with `invalid-config` for one that needs
 * rights or a host that isn't this machine's; none is retried.
 */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listening> {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const server = createServer({
    headersTimeout: timeouts.headersMs,
    // Ours, see below: bodies of any length take any time.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
    // How far beyond its time a slow client can get.
    connectionsCheckingInterval: Math.min(5 * SECOND, timeouts.headersMs),
  });
  const close = gracefulClose(server);
  server.on('request', (req, res) => limitBodyTime(req, res, timeouts.requestMs));
  server.on('request', handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toCatalogued(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, port, close };
}

function gracefulClose(server: Server): Listening['close'] {
  let closed: Promise<void> | undefined;
  // A connection that was busy when closing began is idle once its answer is out, and would stay for keepAliveMs.
  server.on('request', (_req, res) => {
    res.once('close', () => {
      if (closed) server.closeIdleConnections();
    });
  });
  return ({ graceMs }) => {
    closed ??= new Promise<void>((resolve) => {
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      // Node closes the idle connections as part of this.
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
    });
    return closed;
  };
}

function toCatalogued(error: NodeJS.ErrnoException, { host, port }: ListenOptions): Error {
  const options = (field: string, expected: string, received: unknown) => ({
    cause: error,
    problems: [{ field, expected, received: describeReceived(received) }],
  });
  switch (error.code) {
    case 'EADDRINUSE':
      return new KeepapartError(
        'port-in-use',
        `Port ${port} on ${host} is taken; it is HTTP_PORT. Free it, or set KEEPAPART_HTTP_PORT to another port, or to 0 for any free one.`,
        options('HTTP_PORT', 'a free port, or 0 to pick one', port),
      );
    case 'EACCES':
      return new KeepapartError(
        'invalid-config',
        `Port ${port} on ${host} needs rights that this process lacks; set KEEPAPART_HTTP_PORT to another.`,
        options('HTTP_PORT', 'a port that this user may open, usually above 1023', port),
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new KeepapartError(
        'invalid-config',
        `${host} is no address of this machine; set KEEPAPART_HTTP_HOST to one that is.`,
        options('HTTP_HOST', 'an address of this machine', host),
      );
    default:
      return error;
  }
}
