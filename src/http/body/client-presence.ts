import type { IncomingMessage } from 'node:http';

/**
 * Whether the connection of a request is still open, so a client may be waiting for the answer. The request itself
 * doesn't show it, because Node destroys it as soon as its body has been read; nor does the answer to a pipelined
 * request, which has no connection until the answers before it are sent.
 */
export function isClientThere({ socket }: IncomingMessage): boolean {
  return !socket.destroyed;
}
