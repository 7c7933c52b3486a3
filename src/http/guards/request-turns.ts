import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from '../problems/error-boundary';

/** Requests of one connection that are worked on at once. Clients that pipeline have a few under way. */
const AT_ONCE = 16;

/** The requests of one connection that aren't answered. */
interface Turns {
  underWay: number;
  /** Read already, and not begun. No more than one read brings. */
  waiting: Turn[];
}

interface Turn {
  req: IncomingMessage;
  res: ServerResponse;
  handle: RequestHandler;
}

export interface RequestTurns {
  /** Has a handler wait until it is a request's turn. */
  inTurn(handle: RequestHandler): RequestHandler;
  /** Whether a request of this connection isn't answered to its end. */
  isAnswering(socket: Socket): boolean;
}

/**
 * Bounds what one connection may ask for at a time (G6): {@link AT_ONCE} requests are worked on, those that were read
 * along with them wait for their turn, and nothing more is read meanwhile, so that TCP itself holds the client up.
 * Answers come in the order of the requests. Once the client has gone, nothing more is begun.
 */
export function createTurns(): RequestTurns {
  const connections = new WeakMap<Socket, Turns>();

  function turnsOf(socket: Socket): Turns {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const turns: Turns = { underWay: 0, waiting: [] };
    connections.set(socket, turns);
    // Reading the body of a request that is under way makes Node read on.
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
