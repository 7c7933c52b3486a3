import type { IncomingMessage, Server } from 'node:http';

interface Deadline {
  timer?: NodeJS.Timeout;
  begin: () => void;
}

const deadlines = new WeakMap<IncomingMessage, Deadline>();

/**
 * Gives a client so long to send a whole request; beyond that the server is told as Node tells it. Node's own limit can't
 * be lifted for the one route that takes bodies of any length.
 */
export function limitBodyTime(server: Server, req: IncomingMessage, limitMs: number): void {
  const cut = () => {
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    server.emit('clientError', error, req.socket);
  };
  const deadline: Deadline = {
    begin: () => {
      clearTimeout(deadline.timer);
      deadline.timer = setTimeout(cut, limitMs).unref();
    },
  };
  deadlines.set(req, deadline);
  deadline.begin();
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
