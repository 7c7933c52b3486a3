import type { Logger } from 'pino';
import type { BatcherClient } from '../contracts/batcher-client';
import type { IntakeInstruments } from '../contracts/instruments';
import { HOUR, SECOND } from '../domain/duration';
import type { RecordLimits } from '../edge/records';

/** Everything that the gateway needs from outside. */
export interface GatewayDeps {
  batcher: Pick<BatcherClient, 'addRecords'>;
  limits: RecordLimits;
  logger: Logger;
  /** Who measures. Nobody by default. */
  instruments?: IntakeInstruments;
  /** Id of an accepted list; a random UUID by default. */
  newRequestId?: () => string;
  /** Whether this process is about to stop: nothing new is taken, what is under way is finished. */
  isDraining: () => boolean;
}

/** Bounds on connections. Times are in milliseconds. */
export interface GatewayBounds {
  /** At once. Each may hold `maxRequestBytes` of a list that isn't complete. */
  maxConnections: number;
  /** From the beginning of a list to its end; as long as HTTP gives to a whole request. */
  listMs: number;
  /**
   * Without a byte, until a list with a mistake in it is over though its bracket hasn't closed: long enough for what is
   * being sent to come whole, short for whoever waits for the reply.
   */
  mistakeMs: number;
  /** Without a message that was answered. Long, as clients of the old protocol stay connected between their lists. */
  idleMs: number;
  /** From our end of a connection to the client's, in which the client can still read what it was told. */
  lingerMs: number;
}

export const DEFAULT_BOUNDS: GatewayBounds = {
  maxConnections: 256,
  listMs: 30 * SECOND,
  mistakeMs: 100,
  idleMs: 1 * HOUR,
  lingerMs: 1 * SECOND,
};
