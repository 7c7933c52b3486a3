import type { JsonValue } from '../domain/json';
import type { LimitsPatch } from '../domain/limits';
import type { DeadLetterFilter, DeadLetterPage, RedriveResult, RedriveSelection } from './api/dead-letters';
import type { DrainOptions, DrainReport } from './api/drain';
import type { LimitsAnswer } from './workflow/limits';
import type { BatchFilter, BatchPage, BatchView, RequestView, StatusView, WaitsView } from './api/views';

export interface StreamOptions {
  once: boolean;
  /** Asked while room is waited for: whether anybody still wants the stream to go on. */
  stillWanted: () => boolean;
}

/** A request whose records come one after another. */
export interface RecordStream {
  /**
   * Takes the next record; resolves when there is room for one more. Once it has rejected nothing more is taken: with
   * `buffer-full` when the buffer stays full, with `idempotency-key-reused`, or as `addRecords` does.
   */
  write(value: JsonValue): Promise<void>;
  /** Resolves when all records are durable, with their number. Rejects as `write` does, or with `stream-overtaken`. */
  end(): Promise<number>;
  /**
   * Ends a stream that breaks: sends what was written, if nothing has failed, and tells how many records from the first
   * are durable then.
   */
  durable(): Promise<number>;
  /** How many records, from the first on, are known to be durable while it goes on. */
  soFar(): number;
}

/**
 * The way from the edge (HTTP, TCP, command line) to the batchers and back; implemented over Temporal in
 * `src/temporal`. Errors are `temporal-unavailable` (repeat later) or bugs.
 */
export interface BatcherClient {
  /**
   * Resolves only when Temporal has persisted the records (G3); rejects when it is unknown whether it has. With `once`
   * the requestId is a key: what was taken under it before isn't taken again (G5), and other records under it are
   * refused with `idempotency-key-reused`.
   */
  addRecords(
    request: { requestId: string; values: JsonValue[] },
    options?: { once?: boolean },
  ): Promise<void>;
  /**
   * Takes the records of one request one after another, of any number, and waits for room where the buffer is full. With
   * `once` the requestId is a key: the same stream sent again goes on behind what was taken before.
   */
  openStream(requestId: string, options: StreamOptions): Promise<RecordStream>;
  status(): Promise<StatusView>;
  /** What everything that is buffered waits for. Needs a worker. */
  waits(): Promise<WaitsView>;
  /**
   * `undefined` when no such request is known: never sent, or older than the namespace retains.
   * @param client name of the caller's API key: what it sent under a key is found by the key alone as well
   */
  request(requestId: string, client?: string): Promise<RequestView | undefined>;
  /** Newest first. Throws `not-found` when the cursor isn't one of ours. */
  batches(filter: BatchFilter): Promise<BatchPage>;
  batch(batchId: string): Promise<BatchView | undefined>;
  /** The batch that closed last first. Throws `not-found` when the cursor isn't one of ours. */
  deadLetters(filter: DeadLetterFilter): Promise<DeadLetterPage>;
  /**
   * Sends dead letters again, each once for ever (G4): as a request of its own, so that conflicts are checked anew (G2).
   * `by` is kept in history. Throws `dead-letter-not-found` when none of what was asked for is one; `buffer-full` and
   * `temporal-unavailable` when not all could be sent: the same call again goes on.
   */
  redrive(selection: RedriveSelection, by: string): Promise<RedriveResult>;
  /** Operator controls, for every shard; durable, applied in order with the records. `by` is kept in history. */
  flush(by: string): Promise<void>;
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
  /**
   * Changes limits in every shard, and tells what is in force then. `by` is kept in history. Throws `invalid-request` with
   * all problems; `temporal-unavailable` when no shard answered, `limits-incomplete` when not every one did: the same
   * again completes it. Needs a worker.
   */
  changeLimits(patch: LimitsPatch, by: string): Promise<LimitsAnswer>;
  /**
   * Lets go everything that is buffered now, and waits until all that was accepted before has its outcome. Ends sooner
   * when the time is over or a shard is paused that still holds some of it. Needs a worker.
   */
  drain(by: string, options: DrainOptions): Promise<DrainReport>;
  /** Resolves when Temporal answers and this namespace exists; throws `temporal-unavailable` otherwise. */
  checkReady(): Promise<Readiness>;
}

export interface Readiness {
  /** When the store was found away, ISO 8601, UTC; null while it works, as far as is known, which may be a minute old. */
  storeAwaySince: string | null;
}
