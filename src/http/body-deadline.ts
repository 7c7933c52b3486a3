import type { IncomingMessage, ServerResponse } from 'node:http';

const deadlines = new WeakMap<IncomingMessage, { timer: NodeJS.Timeout; begin: () => void }>();

/**
 * Gives a client so long to send a whole request: whoever hasn't by then gets 408, or is cut off where an answer has begun
 * already. Node's own limit can't be lifted for the one route that takes bodies of any length.
 */
export function limitBodyTime(req: IncomingMessage, res: ServerResponse, limitMs: number): void {
  const cut = () => {
    if (!res.headersSent) req.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    req.socket.destroySoon();
  };
  const begin = () => {
    const deadline = { timer: setTimeout(cut, limitMs).unref(), begin };
    deadlines.set(req, deadline);
  };
  begin();
  const end = () => liftBodyTime(req);
  req.once('end', end).once('close', end);
}

/** From here on whoever reads the body looks after the time. */
export function liftBodyTime(req: IncomingMessage): void {
  clearTimeout(deadlines.get(req)?.timer);
}

/** Reads and drops what is left of a body that nobody wants any more, so that the client comes to read the answer. */
export function dropBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  deadlines.get(req)?.begin();
  req.resume();
}
