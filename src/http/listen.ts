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
  /** 0 picks a free one. */
  port: number;
  /** Clients have to come by TLS, with this certificate; without it, by plain HTTP. */
  tls?: TlsPair;
  timeouts?: Partial<HttpTimeouts>;
  /** Connections at once, see `connection-limit.ts`; those beyond are refused. Default 256. */
  maxConnections?: number;
  /** For what concerns connections, and mistakes of ours that no answer can report. By default standard output. */
  logger?: Logger;
  /** Told of what is refused before the handler gets it. */
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

/** What is older has known weaknesses. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;

/** How long a client may take, so that slow ones can't hold every connection. In milliseconds. */
export interface HttpTimeouts {
  /** To send the header of a request; likewise for the handshake of TLS. */
  headersMs: number;
  /** To send a whole request but for a stream of records; bounds as well how long the rest of a refused body is dropped. */
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
  /** New connections get this certificate; those that are open go on. Nothing happens without TLS. */
  renewCertificate(pair: TlsPair): void;
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
      logger.error({ req: loggedRequest(req), err: error }, 'request failed, its connection is ended'),
    ),
  );
  server.on('request', serve);
  // What a client expects besides "100-continue", which Node sees to, may be passed over (RFC 9110, section 10.1.1).
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
    // Streams take any time; see `limitBodyTime` for all others.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
    // How far beyond its time a slow client can get.
    connectionsCheckingInterval: Math.min(5 * SECOND, timeouts.headersMs),
    // The app asks for it, and says so in problem details.
    requireHostHeader: false,
    // Finds out about clients that have gone without a word, while they wait for an answer.
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
  // Node's own list has no connections whose TLS handshake isn't over.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // A connection that was busy when closing began is idle once its answer is out, and would stay for keepAliveMs.
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
