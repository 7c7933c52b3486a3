import type { PackedHistory } from '../contracts/api/answers/live';
import type { LiveEvent } from '../contracts/api/live';
import type { HistoryChoice } from '../contracts/api/states';
import { unpackHistory } from '../contracts/api/live-points';
import { SECOND } from '../domain/duration';
import { eventReader } from '../domain/server-sent-events';
import { unreachable, valueOf } from './answers';
import { authorization, queryOf, type Connection } from './calls';
import type { Asked } from './call-options';

/** The API sends something each second; one that has been silent for so long has gone. */
const SILENCE_MS = 15 * SECOND;

export interface EventsOptions extends Asked {
  /** What the API remembers, sent first. Default `none`. */
  history?: HistoryChoice | undefined;
  /** Id of the last event received before: the history then begins after it. */
  lastEventId?: string | undefined;
}

/** See `KeepapartClient.events`. */
export async function* receiveEvents(
  connection: Connection,
  { history, lastEventId, signal }: EventsOptions,
): AsyncGenerator<LiveEvent, void> {
  const { url, fetch } = connection;
  const silence = new AbortController();
  const heard = () => setTimeout(() => silence.abort(new Error('no event in time')), SILENCE_MS);
  let timer = heard();
  try {
    const response = await fetch(`${url}/v1/events${queryOf({ history })}`, {
      headers: {
        ...authorization(connection),
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    });
    if (!response.ok || response.body === null) {
      const retryAfter = response.headers.get('retry-after');
      valueOf(url, { status: response.status, retryAfter, text: await response.text() });
      throw new Error('an answer without a body');
    }
    const read = eventReader();
    const text = new TextDecoder();
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = heard();
      yield* read(text.decode(bytes, { stream: true })).map(liveEvent);
    }
    throw new Error('it has stopped');
  } catch (error) {
    signal?.throwIfAborted();
    throw isOwn(error) ? error : unreachable(url, error);
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function liveEvent({ event, id, data }: { event: string; id: string; data: string }): LiveEvent {
  const parsed = JSON.parse(data) as unknown;
  return event === 'history'
    ? { event, id, data: unpackHistory(parsed as PackedHistory) }
    : ({ event, id, data: parsed } as LiveEvent);
}

/** What the client throws already. */
function isOwn(error: unknown): boolean {
  return error instanceof Error && /^Keepapart\w+Error$/.test(error.name);
}
