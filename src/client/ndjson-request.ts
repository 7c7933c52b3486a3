import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { STREAM_PROGRESS } from '../contracts/api/stream-progress';
import { SECOND } from '../domain/duration';
import type { RawAnswer } from './answers';

/** A part of an NDJSON text, cut anywhere. */
export type NdjsonPiece = string | Uint8Array;

export interface NdjsonRequest {
  address: string;
  headers: Record<string, string>;
  pieces: AsyncGenerator<NdjsonPiece>;
  signal: AbortSignal | undefined;
  /** Told of interim answers how many records are durable. */
  onAccepted: (accepted: number) => void;
}

/** After how long without a byte the system asks whether the other side still lives. */
const KEEP_ALIVE_MS = 30 * SECOND;

/**
 * Sends a body of any length, as fast as the server reads it, and resolves with the answer, also with one that comes
 * before the body is sent: nothing more is read from the pieces then. Rejects with what Node says when there is none.
 *
 * By `node:http`: Node's `fetch` writes on after an early answer until the connection is reset, and then either fails
 * with EPIPE although the answer has arrived, or never settles; it leaves the body's source open in both cases.
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
        // Not before: until there is a connection, nothing is taken from a source that may not be there twice.
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
 * Whoever answers early and closes may reset the connection while its answer waits unread on this side; Node destroys a
 * socket whose write fails, and the answer with it. The reading side notices the end of the connection by itself.
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

/** Writes pieces with the pace of the socket until they end or somebody says stop, even in the middle of a wait. */
function createBodyWriter(request: ClientRequest, pieces: AsyncGenerator<NdjsonPiece>) {
  let stopped = false;
  const isStopped = () => stopped;
  // One place for whoever waits, instead of a race with a promise that would keep every waiter until the end.
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
      const goesOn = request.write(step.value);
      if (!goesOn) await orStop((resolve) => request.once('drain', resolve));
    }
  }

  return {
    write,
    stop(): void {
      if (stopped) return;
      stopped = true;
      wake();
      // A source that is just being waited for is closed as soon as it has answered.
      pieces.return(undefined).catch(() => undefined);
    },
  };
}
