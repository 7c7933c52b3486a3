import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { STREAM_PROGRESS } from '../contracts/api/stream-progress';
import { SECOND } from '../domain/duration';
import type { RawAnswer } from './answers';

/** A piece of an NDJSON text, cut at any position. */
export type NdjsonPiece = string | Uint8Array;

export interface NdjsonRequest {
  address: string;
  headers: Record<string, string>;
  pieces: AsyncGenerator<NdjsonPiece>;
  signal: AbortSignal | undefined;
  /** Called with the number of durable records in each interim answer. */
  onAccepted: (accepted: number) => void;
}

/** Idle time after which the operating system probes the connection. */
const KEEP_ALIVE_MS = 30 * SECOND;

/**
 * Sends a body of any length, as fast as the server reads it, and resolves with the answer, even if it arrives before the
 * body is sent; then no more pieces are read. Rejects with Node's error if there is no answer.
 *
 * It uses `node:http`: after an early answer, Node's `fetch` keeps writing until the connection is reset, and then either
 * fails with EPIPE although the answer has arrived, or never settles. In both cases it leaves the source of the body open.
 */
export async function postNdjson({
  address,
  headers,
  pieces,
  signal,
  onAccepted,
}: NdjsonRequest): Promise<RawAnswer> {
  const [{ request: open }, connected] = address.startsWith('https:')
    ? ([https, 'secureConnect'] as const)
    : ([http, 'connect'] as const);
  const request = open(address, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-ndjson', [STREAM_PROGRESS.ask]: '1' },
    agent: false,
    ...(signal && { signal }),
  });
  const body = createBodyWriter(request, pieces);
  try {
    return await new Promise<RawAnswer>((resolve, reject) => {
      request.on('error', reject);
      request.on('information', ({ headers }) => {
        const accepted = headers[STREAM_PROGRESS.accepted];
        if (typeof accepted === 'string' && /^\d+$/.test(accepted)) onAccepted(Number(accepted));
      });
      request.on('socket', (socket) => {
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        readOnAfterFailedWrites(socket, body.stop);
        // Not earlier: without a connection, nothing is taken from a source that may not be repeatable.
        socket.once(connected, () => void body.write().catch(reject));
      });
      request.on('response', (response) => {
        body.stop();
        answerOf(response).then(resolve, reject);
      });
    });
  } finally {
    body.stop();
    request.destroy();
  }
}

async function answerOf(response: IncomingMessage): Promise<RawAnswer> {
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    text: await text(response),
  };
}

/**
 * A server that answers early and closes may reset the connection while its answer waits unread on this side. Node destroys
 * a socket whose write fails, and the answer with it. So failed writes are ignored; the reading side notices the end of the
 * connection by itself.
 */
function readOnAfterFailedWrites(socket: Socket, onFailure: () => void): void {
  const swallow = (done: () => void) => (error?: Error | null) => {
    if (error) onFailure();
    done();
  };
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, swallow(done));
  if (writev) socket._writev = (chunks, done) => writev(chunks, swallow(done));
}

/** Writes pieces as fast as the socket takes them, until they end or `stop` is called, even during a wait. */
function createBodyWriter(request: ClientRequest, pieces: AsyncGenerator<NdjsonPiece>) {
  let stopped = false;
  const isStopped = () => stopped;
  // One slot for the current wait, because a race with a promise would keep every wait alive until the end.
  let wake = (): void => undefined;
  const orStop = <T>(wait: (resolve: (value: T) => void, reject: (error: unknown) => void) => void) =>
    new Promise<T | undefined>((resolve, reject) => {
      wake = () => resolve(undefined);
      wait(resolve, reject);
    });

  async function write(): Promise<void> {
    while (!isStopped()) {
      const step = await orStop<IteratorResult<NdjsonPiece>>((resolve, reject) => {
        pieces.next().then(resolve, reject);
      });
      if (step === undefined || isStopped()) return;
      if (step.done === true) {
        request.end();
        return;
      }
      const hasRoom = request.write(step.value);
      if (!hasRoom) await orStop((resolve) => request.once('drain', resolve));
    }
  }

  return {
    write,
    stop(): void {
      if (stopped) return;
      stopped = true;
      wake();
      // A source that is being awaited is closed as soon as it answers.
      pieces.return(undefined).catch(() => undefined);
    },
  };
}
