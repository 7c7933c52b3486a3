import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { HttpInstruments } from '../../contracts/instruments';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { oncePerBurst } from '../../edge/burst-log';
import { sendProblem } from '../problems/problem-response';

/** Used unless it was derived from the process's limit of open files. */
export const DEFAULT_MAX_CONNECTIONS = 256;

/** How many connections beyond the limit get an answer. Further ones are closed immediately. */
const TOLD = 32;
/** How long such a connection may take to send its request and to read the answer. */
const TELL_WITHIN_MS = 2 * SECOND;

export interface ConnectionLimit {
  /** Answers the request with `too-many-connections` if its connection is beyond the limit; otherwise returns false. */
  refuse(req: IncomingMessage, res: ServerResponse): boolean;
}

/**
 * Bounds the connections of a server (G6), to leave descriptors for files and for Temporal. A client beyond the limit
 * gets an answer that says so.
 */
export function limitConnections(
  server: Server,
  max: number,
  logger: Logger,
  instruments?: Pick<HttpInstruments, 'refused'>,
): ConnectionLimit {
  /** Of all connections, by the client's address and port: with TLS, a request has another socket than its connection. */
  const open = new Set<string>();
  const beyond = new Set<string>();
  const logRefusals = oncePerBurst((times) =>
    logger.warn(
      { code: 'too-many-connections', maxConnections: max, times },
      'connections refused: the HTTP API has reached its connection limit',
    ),
  );

  server.maxConnections = max + TOLD;
  server.on('drop', logRefusals);
  server.on('connection', (socket: Socket) => {
    const client = clientOf(socket);
    socket.once('close', () => {
      open.delete(client);
      beyond.delete(client);
    });
    if (open.size < max) {
      open.add(client);
      return;
    }
    beyond.add(client);
    logRefusals();
    const cut = setTimeout(() => socket.destroy(), TELL_WITHIN_MS);
    socket.once('close', () => clearTimeout(cut));
  });

  return {
    refuse(req, res) {
      if (beyond.size === 0 || !beyond.has(clientOf(req.socket))) return false;
      req.resume();
      res.setHeader('Connection', 'close');
      res.setHeader('Cache-Control', 'no-store');
      const detail = `${max} clients are connected; close connections that are not needed, or come back later`;
      instruments?.refused('too-many-connections');
      sendProblem(res, new KeepapartError('too-many-connections', detail));
      return true;
    },
  };
}

function clientOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
