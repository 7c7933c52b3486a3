import { defineSignal } from '@temporalio/workflow';
import { SECOND } from '../../domain/duration';
import type { StoreAway } from './batcher-status';

export type { StoreAway };

/** A worker's notice to the batchers whose batches wait for an unavailable store. */
export interface StoreNotice {
  /** Name of the worker's process, chosen by itself. Each process has its own connection to the store. */
  worker: string;
  /** Null when the store is available again. */
  away: StoreAway | null;
}

/** Sent when the store becomes unavailable, every `renewMs` while it is, and when it is available again. */
export const storeNoticeSignal = defineSignal<[StoreNotice]>('storeNotice');

/** A notice that isn't renewed lapses, because its worker may have died. */
export const STORE_NOTICE = { renewMs: 30 * SECOND, lapsesMs: 100 * SECOND } as const;

/** Bounds of a notice's reason and worker, in bytes of UTF-8. */
export const MAX_REASON_BYTES = 500;
export const MAX_WORKER_BYTES = 64;
