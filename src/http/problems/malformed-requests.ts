import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HttpInstruments } from '../../contracts/instruments';
import { ERRORS, KeepapartError } from '../../domain/errors';
import { PROBLEM_TYPE, problemOf } from './problem-response';

/** The state of a connection. */
interface Conversation {
  /** Requests that are not completely answered, oldest first. */
  open: Set<ServerResponse>;
  last: { req: IncomingMessage; res: ServerResponse };
}

/**
 * Answers what never becomes a whole request (no HTTP, a header that is too large, a request that isn't sent to its end)
 * with problem details, and closes the connection.
 *
 * Node's own answer has no body, and comes even where the client waits for the answer to an earlier request on the same
 * connection: it would take that one for refused although its records are kept (G3). Here earlier requests are answered
 * first, and then the connection is closed without another word.
 */
export function refuseMalformed(server: Server, instruments?: Pick<HttpInstruments, 'refused'>): void {
  const conversations = new WeakMap<object, Conversation>();
  const closing = new WeakSet<object>();

  server.on('request', (req, res) => {
    const open = conversations.get(req.socket)?.open ?? new Set();
    conversations.set(req.socket, { open: open.add(res), last: { req, res } });
    res.once('close', () => open.delete(res));
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const refusal = refusalOf(error.code);
    // Resets and failed TLS handshakes: there is nobody to answer.
    if (refusal === undefined || !socket.writable) socket.destroy();
    // Each further byte would cause another error.
    if (refusal === undefined || closing.has(socket)) return;
    closing.add(socket);
    instruments?.refused(refusal.code);

    const { open, last } = conversations.get(socket) ?? {};
    const cutShort = last?.req.complete === false ? last.res : undefined;
    const waiting = [...(open ?? [])].filter((res) => res !== cutShort);
    // A request that was answered before it was complete gets nothing further.
    const told = waiting.length > 0 || cutShort?.headersSent === true;
    void Promise.all(waiting.map((res) => new Promise((answered) => res.once('close', answered)))).then(() =>
      socket.end(told ? '' : asHttp(refusal), () => socket.destroy()),
    );
  });
}

/** By the error codes of Node's parser and timeouts. */
function refusalOf(code = ''): KeepapartError | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new KeepapartError('request-timeout', 'The request did not arrive in time, or only a part of it');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new KeepapartError('header-too-large', 'The names and values of the header are too long together');
  if (code.startsWith('HPE_')) return new KeepapartError('malformed-request', 'This is not HTTP/1.1');
  return undefined;
}

/** A complete HTTP answer as text, for connections without a response object. */
function asHttp(refusal: KeepapartError): string {
  const { status = ERRORS.internal.status } = refusal.entry;
  const body = JSON.stringify(problemOf(refusal));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
