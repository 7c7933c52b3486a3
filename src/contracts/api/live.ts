import type { ErrorCode } from '../../domain/errors';
import type { Latency, LiveView, Point } from './answers/live';

/* What `GET /v1/events` is made of, beside what it sends. */

/** How often a picture is sent to those who watch, and how often one is taken while nobody does. In milliseconds. */
export const PICTURE_EVERY_MS = 1000;
export const UNSEEN_EVERY_MS = 10_000;

/** A batcher that hasn't answered for this long is reported as silent; its last answer is kept for 20 seconds. */
export const SILENT_AFTER_MS = 4000;

/** What one process measured itself since it was last asked. */
export interface ProcessFigures {
  /** Requests refused, by the code of the error catalogue. */
  refused: Partial<Record<ErrorCode, number>>;
  /** How long messages to batchers took to be durable; null when there were none. */
  commit: Latency | null;
  /** How long calls of the store that save took; null when there were none, or when this process has no worker. */
  save: Latency | null;
}

/** What the API process remembers: the data of an event `history`, unpacked. It comes first where it was asked for. */
export interface LiveHistory {
  /** Since when this process has remembered, in milliseconds since the epoch. */
  sinceMs: number;
  /** The last 15 minutes, at most one point per second; oldest first. After a reconnect only those not sent before. */
  seconds: Point[];
  /** The last 6 hours, one point per ten seconds. */
  tens: Point[];
}

/** An event as clients get it. */
export type LiveEvent =
  { event: 'history'; id: string; data: LiveHistory } | { event: 'picture'; id: string; data: LiveView };
