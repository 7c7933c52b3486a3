import type { IncomingMessage } from 'node:http';

/**
 * Whether the connection of a request is still open, so that somebody may wait for its answer. The request itself can't
 * say: Node destroys it as soon as its body has been read. Neither can the answer to a pipelined request: it has no
 * connection until the answers before it are out.
 */
export function isClientThere({ socket }: IncomingMessage): boolean {
  return !socket.destroyed;
}
