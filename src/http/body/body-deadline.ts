import type { IncomingMessage, Server } from 'node:http';

interface Deadline {
  timer?: NodeJS.Timeout;
  begin: () => void;
}

const deadlines = new WeakMap<IncomingMessage, Deadline>();

/**
 * Limits how long a client may take to send a whole request; after that, the server gets the same error event as from
 * Node. Node's own limit can't be lifted for the one route that accepts bodies of any length.
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

/** From here on, the reader of the body watches the time. */
export function liftBodyTime(req: IncomingMessage): void {
  clearTimeout(deadlines.get(req)?.timer);
}

/** Reads and drops the rest of a body that is no longer needed, so that the client gets to read the answer. */
export function dropBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  deadlines.get(req)?.begin();
  req.resume();
}
