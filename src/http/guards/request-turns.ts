import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from '../problems/error-boundary';

/** How many requests of one connection are processed at once. Clients that pipeline have a few under way. */
const AT_ONCE = 16;

/** The unanswered requests of one connection. */
interface Turns {
  underWay: number;
  /** Already read and not yet started; at most what one read returns. */
  waiting: Turn[];
}

interface Turn {
  req: IncomingMessage;
  res: ServerResponse;
  handle: RequestHandler;
}

export interface RequestTurns {
  /** Makes a handler wait for the request's turn. */
  inTurn(handle: RequestHandler): RequestHandler;
  /** Whether a request of this connection isn't completely answered. */
  isAnswering(socket: Socket): boolean;
}

/**
 * Bounds the work for one connection (G6): {@link AT_ONCE} requests are processed at once, those that were read with
 * them wait, and nothing more is read meanwhile, so TCP slows the client down. Answers are sent in the order of the
 * requests. After the client disconnects, no further request is started.
 */
export function createTurns(): RequestTurns {
  const connections = new WeakMap<Socket, Turns>();

  function turnsOf(socket: Socket): Turns {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const turns: Turns = { underWay: 0, waiting: [] };
    connections.set(socket, turns);
    // Reading the body of a request under way makes Node read further requests.
    socket.on('resume', () => {
      if (turns.waiting.length > 0) socket.pause();
    });
    return turns;
  }

  function begin({ req, res, handle }: Turn, turns: Turns): void {
    turns.underWay++;
    // Comes when the answer is out; after the end of the connection for the answer that was its turn to be sent alone.
    res.once('close', () => {
      turns.underWay--;
      beginNext(turns, req.socket);
    });
    handle(req, res);
  }

  function beginNext(turns: Turns, socket: Socket): void {
    if (socket.destroyed) {
      turns.waiting.length = 0;
      return;
    }
    const next = turns.waiting.shift();
    if (next === undefined) return;
    if (turns.waiting.length === 0) socket.resume();
    begin(next, turns);
  }

  return {
    inTurn: (handle) => (req, res) => {
      const turns = turnsOf(req.socket);
      if (turns.underWay < AT_ONCE) {
        begin({ req, res, handle }, turns);
        return;
      }
      turns.waiting.push({ req, res, handle });
      req.socket.pause();
    },
    isAnswering: (socket) => (connections.get(socket)?.underWay ?? 0) > 0,
  };
}
