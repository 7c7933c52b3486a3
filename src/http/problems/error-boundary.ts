import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Handles one request; it is done when the promise that it may return settles. What it throws, or rejects with, is a
 * bug that it may be too late to answer.
 */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

type OnFailure = (error: unknown) => void;

const boundaries = new WeakMap<IncomingMessage, OnFailure>();

/**
 * The last net under a request. Whatever its handler throws, and whatever listeners of the request and its answer throw,
 * also long after the answer, is reported and ends the connection of that request: never the process, in which others
 * wait for answers. Nobody may take half an answer for the whole, so nothing more is sent.
 *
 * There is no net under the process: a mistake that belongs to no request leaves it in a state that nobody knows, and
 * ends it.
 */
export function withBoundary(
  handle: RequestHandler,
  report: (error: unknown, req: IncomingMessage) => void,
): RequestHandler {
  return (req, res) => {
    const fail: OnFailure = (error) => {
      req.socket.destroy();
      report(error, req);
    };
    boundaries.set(req, fail);
    contain(req, fail);
    contain(res, fail);
    try {
      const handled = handle(req, res);
      if (handled instanceof Promise) handled.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** Reports errors of a stream that a request needs as errors of that request. */
export function sharingBoundary<Stream extends EventEmitter>(req: IncomingMessage, stream: Stream): Stream {
  const fail = boundaries.get(req);
  if (fail !== undefined) contain(stream, fail);
  return stream;
}

/** An own property, as Express replaces the prototype. */
function contain(emitter: EventEmitter, fail: OnFailure): void {
  const emit = emitter.emit.bind(emitter);
  emitter.emit = (...event) => {
    try {
      return emit(...event);
    } catch (error) {
      fail(error);
      return true;
    }
  };
}
