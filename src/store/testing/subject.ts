import type { JsonValue } from '../../domain/json';
import type { OutcomeFormat, SettledRecord } from '../../domain/records/outcome';
import type { RecordStore } from '../../domain/records/record-store';
import type { BatchRef } from '../../domain/records/batch';

/** A batch with its outcomes, as its workflow would store it. */
export interface Settlement {
  batch: BatchRef;
  records: SettledRecord[];
  format: OutcomeFormat;
}

/** A store under test: several workers use it, and each can be paused or killed between two of its steps. */
export interface StoreUnderTest {
  /** At least five values that the store can save. */
  values: readonly JsonValue[];
  /** Whether it undoes what a failed save left. */
  undoes: boolean;
  /** Which of these records it holds, each as often as it does; absent if that can't be determined. */
  find?: ((recordIds: readonly string[]) => Promise<readonly string[]>) | undefined;
  /** Opens the store as a separate worker. */
  worker(): Promise<RecordStore>;
  /** Awaits `before` ahead of every step of any worker from now on; returns a function that stops that. */
  intercept(before: () => unknown): () => void;
  /** Resolves when the call is over, or blocked because another worker holds what it needs. */
  overOrBlocked(call: Promise<unknown>): Promise<void>;
  /** What is staged and belongs to no open batch, after the cleanup at a worker's start. */
  leftovers(): Promise<readonly string[]>;
  /**
   * Runs the steps of a batch one after another in a separate process, and kills it (SIGKILL) before its n-th step, from 1.
   * Absent if the store can't be opened elsewhere.
   */
  killAt?: ((settlement: Settlement, point: number) => Promise<KilledWorker>) | undefined;
  close(): Promise<void>;
}

export interface KilledWorker {
  /** How many of the batch's steps it reported as done. */
  done: number;
  killed: boolean;
}
