import { createServer as createHttpServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import pino, { type Logger } from 'pino';
import type { HttpInstruments } from '../contracts/instruments';
import { SECOND } from '../domain/duration';
import { limitBodyTime } from './body/body-deadline';
import { KeepapartError } from '../domain/errors';
import { describeReceived } from '../domain/field-problems';
import { DEFAULT_MAX_CONNECTIONS, limitConnections } from './guards/connection-limit';
import { withBoundary, type RequestHandler } from './problems/error-boundary';
import { refuseMalformed } from './problems/malformed-requests';
import { loggedRequest } from './request-log';
import { createTurns, type RequestTurns } from './guards/request-turns';

export interface ListenOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** Clients must use TLS, with this certificate; without it, plain HTTP. */
  tls?: TlsPair;
  timeouts?: Partial<HttpTimeouts>;
  /** Maximum number of connections; see `connection-limit.ts`. Further ones are refused. Default 256. */
  maxConnections?: number;
  /** For events of connections, and for bugs that no answer can report. Default: standard output. */
  logger?: Logger;
  /** Counts requests that are refused before they reach the handler. */
  instruments?: Pick<HttpInstruments, 'refused'> | undefined;
  /** The settings of host and port, for messages. Default: those of the API. */
  settings?: ListenSettings;
}

/** What host and port are called, and what setting the port to 0 is for. */
export interface ListenSettings {
  host: string;
  port: string;
  zero: string;
}

const API_SETTINGS: ListenSettings = { host: 'HTTP_HOST', port: 'HTTP_PORT', zero: 'for any free one' };

/** Both in PEM, and known to belong together. */
export interface TlsPair {
  /** The server's own certificate first, then those between it and the root. */
  cert: string;
  /** Without a passphrase. */
  key: string;
}

/** Older versions have known weaknesses. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;

/** Time limits for clients, so that slow ones can't occupy every connection. In milliseconds. */
export interface HttpTimeouts {
  /** To send the header of a request; likewise for the handshake of TLS. */
  headersMs: number;
  /**
   * To send a whole request, except for a stream of records; also bounds how long the rest of a refused body is read.
   */
  requestMs: number;
  /** To take the next bytes of an answer that is being sent. */
  answerMs: number;
  /** Between two requests on one connection; above the 60 s after which common proxies drop theirs. */
  keepAliveMs: number;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = {
  headersMs: 10 * SECOND,
  requestMs: 30 * SECOND,
  answerMs: 30 * SECOND,
  keepAliveMs: 65 * SECOND,
};

export interface Listening {
  /** `http://<host>:<port>`, or `https://…`, with the port that was picked. */
  url: string;
  port: number;
  /** Uses this certificate for new connections; open ones continue. Does nothing without TLS. */
  renewCertificate(pair: TlsPair): void;
  /**
   * Stops accepting connections, closes idle ones immediately and the others once their request is answered; cuts those
   * still open after `graceMs`. Resolves when all are closed; calling it again waits for the same shutdown.
   */
  close(options: { graceMs: number }): Promise<void>;
}

/**
 * Serves `handler` on a port. Rejects with `port-in-use` for a taken port, and with `invalid-config` for one that needs
 * rights or a host that isn't this machine's; none is retried.
 */
export async function listen(handler: RequestHandler, options: ListenOptions): Promise<Listening> {
  const { logger = pino({ level: 'warn' }), maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const server = createServer(options.tls, timeouts);
  const close = gracefulClose(server);
  refuseMalformed(server, options.instruments);
  const limit = limitConnections(server, maxConnections, logger, options.instruments);
  const turns = createTurns();
  cutUnreadAnswers(server, turns, timeouts.answerMs);
  const timed: RequestHandler = (req, res) => {
    if (limit.refuse(req, res)) return undefined;
    limitBodyTime(server, req, timeouts.requestMs);
    return handler(req, res);
  };
  const serve = turns.inTurn(
    withBoundary(timed, (error, req) =>
      logger.error({ req: loggedRequest(req), err: error }, 'request failed, closing its connection'),
    ),
  );
  server.on('request', serve);
  // Expectations other than "100-continue", which Node handles, may be ignored (RFC 9110, section 10.1.1).
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toCatalogued(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    port,
    close,
    renewCertificate(pair) {
      if ('setSecureContext' in server) server.setSecureContext({ ...TLS_OPTIONS, ...pair });
    },
  };
}

function createServer(tls: TlsPair | undefined, timeouts: HttpTimeouts): HttpServer | HttpsServer {
  const http = {
    headersTimeout: timeouts.headersMs,
    // Streams may take any time; `limitBodyTime` limits all others.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
    // By how much a slow client can exceed its time.
    connectionsCheckingInterval: Math.min(5 * SECOND, timeouts.headersMs),
    // The app asks for it, and says so in problem details.
    requireHostHeader: false,
    // Detects clients that disappeared while they waited for an answer.
    keepAlive: true,
    keepAliveInitialDelay: 10 * SECOND,
    allowHalfOpen: true,
  };
  const server = tls
    ? createHttpsServer({ ...http, ...TLS_OPTIONS, ...tls, handshakeTimeout: timeouts.headersMs })
    : createHttpServer(http);
  // A client that ends its side behind its request still reads the answer. Node has this and doesn't document it; a test
  // notices should it go.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Node drops headers beyond 2,000 without a word, an Idempotency-Key among them; their size bounds them anyway.
  server.maxHeadersCount = 0;
  return server;
}

/**
 * Cuts a connection whose client doesn't read its answer: what is left of it would stay in memory for ever. Idle
 * connections reach their own time by the same event; while an answer is being worked on, silence is nobody's fault.
 */
function cutUnreadAnswers(server: HttpServer | HttpsServer, turns: RequestTurns, answerMs: number): void {
  server.setTimeout(answerMs, (socket: Socket) => {
    if (!turns.isAnswering(socket) || socket.writableLength > 0) socket.destroy();
  });
}

function gracefulClose(server: HttpServer | HttpsServer): Listening['close'] {
  let closed: Promise<void> | undefined;
  // Node's own list lacks connections whose TLS handshake isn't complete.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // A connection that was busy when closing began becomes idle after its answer, and would stay open for keepAliveMs.
  server.on('request', (_req, res) => {
    res.once('close', () => {
      if (closed) server.closeIdleConnections();
    });
  });
  return ({ graceMs }) => {
    closed ??= new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, graceMs);
      // Node closes the idle connections as part of this.
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
    });
    return closed;
  };
}

function toCatalogued(error: NodeJS.ErrnoException, { host, port, settings }: ListenOptions): Error {
  const { host: hostSetting, port: portSetting, zero } = settings ?? API_SETTINGS;
  const options = (field: string, expected: string, received: unknown) => ({
    cause: error,
    problems: [{ field, expected, received: describeReceived(received) }],
  });
  switch (error.code) {
    case 'EADDRINUSE':
      return new KeepapartError(
        'port-in-use',
        `Port ${port} on ${host} is taken; it is ${portSetting}. Free it, or set KEEPAPART_${portSetting} to another port, or to 0 ${zero}.`,
        options(portSetting, 'a free port', port),
      );
    case 'EACCES':
      return new KeepapartError(
        'invalid-config',
        `Port ${port} on ${host} needs rights that this process lacks; set KEEPAPART_${portSetting} to another.`,
        options(portSetting, 'a port that this user may open, usually above 1023', port),
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new KeepapartError(
        'invalid-config',
        `${host} is no address of this machine; set KEEPAPART_${hostSetting} to one that is.`,
        options(hostSetting, 'an address of this machine', host),
      );
    default:
      return error;
  }
}
