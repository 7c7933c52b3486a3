import type { ErrorCode } from '../../domain/errors';
import type { StatusView, WaitsView } from './views';
import type { WaitsFor } from '../workflow/waits';

/* What `GET /v1/events` sends, and what it is made of. */

/** How often those who look on get a picture, and how often one is taken while nobody does. In milliseconds. */
export const PICTURE_EVERY_MS = 1000;
export const UNSEEN_EVERY_MS = 10_000;

/** The state of every shard at one moment, from the last answer of each batcher. */
export interface Overview {
  /** Null while no batcher has answered for 20 seconds. */
  status: StatusView | null;
  waits: WaitsView;
  /** When the oldest of these answers was asked for, in milliseconds since the epoch; null without any. */
  asOfMs: number | null;
  /** Workflow ids of the batchers that have not answered for {@link SILENT_AFTER_MS}. */
  silent: string[];
}

/** A batcher that hasn't answered for so long is reported as silent; its last answer is kept for 20 seconds. */
export const SILENT_AFTER_MS = 4000;

/** Percentiles of durations, in milliseconds. */
export interface Latency {
  p50: number;
  p95: number;
  p99: number;
}

/** What one process measured itself since it was last asked. */
export interface ProcessFigures {
  /** Requests refused, by the code of the error catalogue. */
  refused: Partial<Record<ErrorCode, number>>;
  /** How long messages to batchers took to be durable; null when there were none. */
  commit: Latency | null;
  /** How long calls of the store that save took; null when there were none, or when this process has no worker. */
  save: Latency | null;
}

/** What plots show of one moment. Rates are per second since the point before; null where they are unknown. */
export interface Point {
  atMs: number;
  accepted: number | null;
  saved: number | null;
  rolledBack: number | null;
  retries: number | null;
  /** Age of the oldest buffered record, and for how long the oldest due record has been due; 0 where there is none. */
  oldestAgeMs: number;
  dueAgeMs: number;
  buffered: number;
  inFlight: number;
  /** Records per place of the batches cut since the point before, 0 to 1. */
  fill: number | null;
  /** Batches cut since then, and the fewest there could have been. */
  batches: number | null;
  lowerBound: number | null;
  /** Buffered records by what they wait for; what is missing is 0. */
  waits: Partial<Record<WaitsFor, number>>;
  /** Requests refused per second, by code. */
  refused: Partial<Record<ErrorCode, number>>;
  commit: Latency | null;
  save: Latency | null;
}

/** One picture: the data of an event `picture`. */
export interface LiveView extends Overview {
  /** When it was taken, in milliseconds since the epoch. */
  atMs: number;
  /** Its point in the plots; null while there is no status. */
  point: Point | null;
}

/** What the API process remembers: the data of an event `history`, which comes first where it was asked for. */
export interface LiveHistory {
  /** Since when this process has remembered, in milliseconds since the epoch. */
  sinceMs: number;
  /** Of the last 15 minutes, at most one per second; oldest first. After a reconnect only those not sent before. */
  seconds: Point[];
  /** Of the last 6 hours, one per ten seconds. */
  tens: Point[];
}

/** How much of the history to send first. */
export const HISTORY_CHOICES = ['none', 'minutes', 'hours'] as const;
export type HistoryChoice = (typeof HISTORY_CHOICES)[number];

/** Points as they are sent: each a row of values in the order of `fields`. */
export interface PackedHistory {
  sinceMs: number;
  fields: readonly (keyof Point)[];
  seconds: PackedPoint[];
  tens: PackedPoint[];
}
export type PackedPoint = Point[keyof Point][];

/** An event as clients get it. */
export type LiveEvent =
  { event: 'history'; id: string; data: LiveHistory } | { event: 'picture'; id: string; data: LiveView };
