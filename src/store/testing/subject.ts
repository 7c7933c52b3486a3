import type { JsonValue } from '../../domain/json';
import type { OutcomeFormat, SettledRecord } from '../../domain/records/outcome';
import type { RecordStore } from '../../domain/records/record-store';
import type { BatchRef } from '../../domain/records/batch';

/** A batch whose outcomes are known, as its workflow would bring it into the store. */
export interface Settlement {
  batch: BatchRef;
  records: SettledRecord[];
  format: OutcomeFormat;
}

/** A store as its contract is checked: by several workers, each of which may be held or killed between two of its steps. */
export interface StoreUnderTest {
  /** Values that the store can save, at least five. */
  values: readonly JsonValue[];
  /** Whether it undoes what a failed save has left. */
  undoes: boolean;
  /** Which of these records it holds, each as often as it does; missing where nobody can say. */
  find?: ((recordIds: readonly string[]) => Promise<readonly string[]>) | undefined;
  /** The store as a worker of its own has it. */
  worker(): Promise<RecordStore>;
  /** Awaits `before` ahead of every step that any worker takes from now on; returns what ends that. */
  intercept(before: () => unknown): () => void;
  /** Resolves when the call is over, or can't go on because another worker holds what it needs. */
  overOrBlocked(call: Promise<unknown>): Promise<void>;
  /** What is staged and belongs to no open batch, after what a worker does at its start. */
  leftovers(): Promise<readonly string[]>;
  /**
   * Has a worker in a process of its own do the steps of a batch, one after another, and be killed (SIGKILL) before its
   * n-th step, from 1. Missing where the store can't be opened elsewhere.
   */
  killAt?: ((settlement: Settlement, point: number) => Promise<KilledWorker>) | undefined;
  close(): Promise<void>;
}

export interface KilledWorker {
  /** How many of the batch's steps it has reported as done. */
  done: number;
  killed: boolean;
}
