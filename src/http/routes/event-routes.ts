import type { RequestHandler } from 'express';
import { z } from 'zod';
import { HISTORY_CHOICES } from '../../contracts/api/states';
import { KeepapartError } from '../../domain/errors';
import { validate } from '../../edge/problems';
import { EVENT_STREAM_TYPE, type Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { liveEventSchema } from '../../contracts/api/answers/live';
import type { LiveFeed } from '../live/live-feed';

/** Maximum number of viewers, unless the process may have fewer connections: each viewer occupies one. */
const MOST_VIEWERS = 64;

export interface EventRouteDeps {
  isDraining: () => boolean;
  /** Maximum number of viewers. Default {@link MOST_VIEWERS}. */
  maxViewers?: number | undefined;
}

const eventsQuerySchema = z.strictObject({
  history: z
    .enum(HISTORY_CHOICES, { error: `one of ${HISTORY_CHOICES.join(', ')}` })
    .default('none')
    .meta({
      description:
        'What this process remembers, sent first: 15 minutes by the second, with `hours` 6 hours by ten seconds as well',
    }),
});

const eventsHeaderSchema = z.object({
  'Last-Event-ID': z
    .string()
    .optional()
    .meta({ description: 'Of the last event received before a reconnect: the history then begins after it' }),
});

/** `GET /v1/events`: a picture each second, until either side ends the connection. */
export function serveEvents(
  routes: Routes,
  feed: LiveFeed,
  { isDraining, maxViewers = MOST_VIEWERS }: EventRouteDeps,
): void {
  const getEvents: RequestHandler = (req, res) => {
    const { history } = validate(eventsQuerySchema, { ...req.query }, 'The query is not valid', (path) =>
      path.join('.'),
    );
    if (isDraining()) throw new KeepapartError('not-ready', 'This process is about to stop');
    if (feed.size >= maxViewers)
      throw new KeepapartError('too-many-connections', `${maxViewers} clients receive events already`);
    res.status(200);
    res.setHeader('Content-Type', `${EVENT_STREAM_TYPE}; charset=utf-8`);
    // Otherwise nginx would buffer the events.
    res.setHeader('X-Accel-Buffering', 'no');
    res.flushHeaders();
    if (req.method === 'HEAD') res.end();
    else feed.join(res, { history, lastId: req.get('Last-Event-ID') });
  };
  routes.serve('/events', { get: { right: 'read', handle: getEvents, describe: GET_EVENTS } });
}

const GET_EVENTS: Operation = {
  operationId: 'getEvents',
  summary: 'Sends the state of everything once a second, as server-sent events',
  description:
    'An event `picture` each second has what `GET /v1/status` and `GET /v1/waits` return; however many clients receive ' +
    'events, each batcher is asked once a second. With `history` an event of that name comes first. A client that reads ' +
    'too slowly gets the latest picture instead of those it missed. The stream ends when this process stops. The schema ' +
    'is that of one event: its name, its id, and the JSON of its `data`.',
  query: eventsQuerySchema,
  headers: eventsHeaderSchema,
  isLocal: true,
  answer: { status: 200, type: EVENT_STREAM_TYPE, schema: liveEventSchema },
  errors: ['invalid-request', 'not-ready'],
};
