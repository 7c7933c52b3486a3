import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { KeepapartError } from '../domain/errors';
import type { GatewayBounds } from './deps';
import { createMessageReader, type Message } from './messages';
import { errorReply } from './replies';
import { stopping, type ListTaker } from './take-list';

export interface ConnectionParts {
  takeList: ListTaker;
  bounds: GatewayBounds;
  /** Maximum size of one list, in bytes of its text. */
  maxBytes: number;
  log: Logger;
}

export interface Connection {
  /** Ends the connection: now if nothing is pending, else when everything that has arrived is answered. */
  finish(): void;
  /** Ends the connection now; a list that is being sent to Temporal may still be accepted. */
  cut(): void;
  /** Resolves when the connection is closed and nothing is pending, or when it was cut. */
  readonly over: Promise<void>;
}

/**
 * Serves one client, one message at a time: each is answered before the next is processed. Nothing is read meanwhile, so
 * TCP slows down a client that sends faster than Temporal accepts, or that doesn't read its replies. A message that has
 * arrived completely is processed even if the client is gone; an incomplete one is dropped.
 */
export function serveConnection(socket: Socket, parts: ConnectionParts): Connection {
  const { takeList, bounds, maxBytes, log } = parts;
  const reader = createMessageReader({ maxBytes });
  /** Whether the last chunk is still being answered. */
  let answering = false;
  /** Whether a list is being sent to Temporal, so the client has to wait. */
  let taking = false;
  /** Whether to end the connection once nothing is pending: the client has ended its side, or we are shutting down. */
  let clientLeft = false;
  let finishing = false;
  let ending = false;
  let listTimer: NodeJS.Timeout | undefined;
  let mistakeTimer: NodeJS.Timeout | undefined;
  let settle: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (settle = resolve));

  function end(error?: KeepapartError): void {
    if (ending) return;
    ending = true;
    clearTimers();
    if (error !== undefined) log.info({ code: error.code }, 'connection ended');
    endSocket(socket, error === undefined ? '' : errorReply(error), bounds.lingerMs);
  }

  /** Resolves when the operating system has the text, or the client is gone. */
  function reply(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (socket.writable) socket.write(text, () => resolve());
      else resolve();
    });
  }

  async function answer(message: Message): Promise<void> {
    if (message.kind === 'exit') end();
    else if (message.kind === 'list') {
      taking = true;
      const text = await takeList(message.bytes, log);
      taking = false;
      await reply(text);
    } else if (message.error.code === 'wrong-protocol') end(message.error);
    else {
      log.info({ code: message.error.code }, 'message refused');
      await reply(errorReply(message.error));
    }
  }

  /** Nothing is read meanwhile. */
  async function answerAll(next: () => Message[]): Promise<void> {
    answering = true;
    socket.pause();
    const messages = next();
    if (messages.length > 0) {
      idleTimer.refresh();
      clearTimeout(listTimer);
      listTimer = undefined;
    }
    for (const message of messages) if (!ending) await answer(message);
    if (messages.length > 0 && !ending) idleTimer.refresh();
    answering = false;
    if (socket.closed) settle();
    else if (clientLeft || finishing) endIfIdle();
    else if (!ending) {
      if (reader.isMidway()) listTimer ??= setTimeout(safely(giveUp), bounds.listMs);
      if (reader.isHopeless()) mistakeTimer = setTimeout(safely(answerMistake), bounds.mistakeMs);
      socket.resume();
    }
  }

  function answerOrCut(next: () => Message[]): void {
    clearTimeout(mistakeTimer);
    answerAll(next).catch(fail);
  }

  /** A bug ends this connection, and no other. */
  function fail(error: unknown): void {
    log.error({ err: error }, 'connection failed');
    cut();
  }

  function safely<Args extends unknown[]>(act: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      try {
        act(...args);
      } catch (error) {
        fail(error);
      }
    };
  }

  function clearTimers(): void {
    for (const timer of [listTimer, mistakeTimer, idleTimer]) clearTimeout(timer);
  }

  /** For a list that contains a mistake and whose end doesn't arrive. */
  function answerMistake(): void {
    answerOrCut(() => [reader.giveUp()]);
  }

  function endIfIdle(): void {
    if (answering || ending) return;
    if (reader.isHopeless()) answerMistake();
    else if (!reader.isMidway()) end();
    else end(clientLeft ? unfinished('The connection ended before the list') : stopping());
  }

  /** The start of the next message is unknown: dropping what has arrived would turn the rest into messages. */
  function giveUp(): void {
    end(unfinished(`The list did not end within ${bounds.listMs} ms`));
  }

  function cut(): void {
    socket.destroy();
    settle();
  }

  // Only messages count: blank bytes between them don't keep a connection open.
  const idleTimer = setTimeout(
    safely(() => {
      if (!taking) end();
    }),
    bounds.idleMs,
  );
  socket.on(
    'data',
    safely((bytes: Buffer) => {
      if (!ending) answerOrCut(() => reader.read(bytes));
    }),
  );
  // Also emitted while nothing is read; everything sent before has been read by then.
  socket.on(
    'end',
    safely(() => {
      clientLeft = true;
      endIfIdle();
    }),
  );
  socket.on('error', (error: NodeJS.ErrnoException) => log.debug({ reason: error.code }, 'client gone'));
  socket.on('close', () => {
    log.debug('connection closed');
    clearTimers();
    if (!answering) settle();
  });
  log.debug('connection opened');

  return {
    finish() {
      finishing = true;
      endIfIdle();
    },
    cut,
    over,
  };
}

/**
 * Ends our side with a last text, and gives the client a moment to end its side. What it still sends is read and dropped:
 * closing with unread bytes would reset the connection, and the client would lose replies that it hasn't read.
 */
export function endSocket(socket: Socket, text: string, lingerMs: number): void {
  if (socket.destroyed) return;
  socket.end(text);
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(cut));
}

function unfinished(what: string): KeepapartError {
  return new KeepapartError('list-unfinished', `${what}; nothing of it was accepted`);
}
