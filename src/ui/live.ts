import type { LiveView, PackedHistory } from '../contracts/api/answers/live';
import type { LiveHistory } from '../contracts/api/live';
import { HISTORY_CHOICES } from '../contracts/api/states';
import { unpackHistory } from '../contracts/api/live-points';
import { SECOND } from '../domain/duration';
import { eventReader } from '../domain/server-sent-events';
import { ApiProblem, apiKey, CREDENTIALS, MOUNT, problemOfAnswer } from './api';

/** Whoever sends nothing for so long has gone, or something between holds the events back. */
const SILENCE_MS = 10 * SECOND;

export interface LiveListener {
  history(history: LiveHistory): void;
  picture(picture: LiveView): void;
}

let lastId: string | undefined;

/**
 * Receives events until the connection ends. By `fetch`, as an `EventSource` can't send a key. After a reconnect the
 * history begins behind what was received before.
 * @throws ApiProblem what was refused; `unreachable` when the API can't be reached, has stopped, or is silent
 */
export async function receiveEvents(listener: LiveListener, signal: AbortSignal): Promise<void> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  heard();
  try {
    const response = await fetch(`${MOUNT}/v1/events?history=${HISTORY_CHOICES[2]}`, {
      headers: {
        ...(apiKey.peek() !== '' && { Authorization: `Bearer ${apiKey.peek()}` }),
        ...(lastId !== undefined && { 'Last-Event-ID': lastId }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
      credentials: CREDENTIALS,
      cache: 'no-store',
    });
    if (!response.ok || response.body === null) throw await problemOfAnswer(response);
    const read = eventReader();
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
      heard();
      for (const { event, id, data } of read(piece.value)) {
        lastId = id;
        if (event === 'history') listener.history(unpackHistory(JSON.parse(data) as PackedHistory));
        else if (event === 'picture') listener.picture(JSON.parse(data) as LiveView);
      }
    }
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    if (silence.signal.aborted)
      throw new ApiProblem('silent', 0, `The API has sent nothing for ${SILENCE_MS / SECOND} s`);
    throw new ApiProblem('unreachable', 0, 'The API can’t be reached');
  } finally {
    clearTimeout(timer);
  }
  throw new ApiProblem('unreachable', 0, 'The API has stopped');
}

/** Forgets what was received, e.g. when another key is used. */
export function forgetEvents(): void {
  lastId = undefined;
}
