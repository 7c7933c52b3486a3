import type { Logger } from 'pino';
import type { BatcherClient } from '../contracts/batcher-client';
import type { IntakeInstruments } from '../contracts/instruments';
import type { RequestTracing } from '../contracts/tracing';
import { HOUR, SECOND } from '../domain/duration';
import type { RecordLimits } from '../edge/records';

/** Dependencies of the gateway. */
export interface GatewayDeps {
  batcher: Pick<BatcherClient, 'addRecords'>;
  limits: RecordLimits;
  logger: Logger;
  /** Receives measurements. Default: none. */
  instruments?: IntakeInstruments;
  /** Makes spans of lists. Default: none. */
  tracing?: RequestTracing | undefined;
  /** Creates the id of an accepted list. Default: a random UUID. */
  newRequestId?: () => string;
  /** Whether this process is shutting down: nothing new is accepted, and pending work is finished. */
  isDraining: () => boolean;
}

/** Bounds on connections. Times are in milliseconds. */
export interface GatewayBounds {
  /** Maximum simultaneous connections. Each may hold `maxRequestBytes` of an incomplete list. */
  maxConnections: number;
  /** Maximum time from the start of a list to its end; the same as HTTP allows for a whole request. */
  listMs: number;
  /**
   * How long after its last byte a list with a mistake counts as ended although its bracket hasn't closed: long enough for
   * the rest of a message to arrive, and short for a client that waits for the reply.
   */
  mistakeMs: number;
  /** Maximum time without an answered message. Long, because clients of the old protocol stay connected between lists. */
  idleMs: number;
  /** Time between our end of a connection and the client's, in which the client can still read its replies. */
  lingerMs: number;
}

export const DEFAULT_BOUNDS: GatewayBounds = {
  maxConnections: 256,
  listMs: 30 * SECOND,
  mistakeMs: 100,
  idleMs: 1 * HOUR,
  lingerMs: 1 * SECOND,
};
