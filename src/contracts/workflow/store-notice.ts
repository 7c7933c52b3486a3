import { defineSignal } from '@temporalio/workflow';
import { SECOND } from '../../domain/duration';
import type { StoreAway } from './batcher-status';

export type { StoreAway };

/** What a worker reports about its store to the batchers whose batches wait for it. */
export interface StoreNotice {
  /** A name that the worker's process has given itself; each has its own connection to the store. */
  worker: string;
  /** Null when the store is back. */
  away: StoreAway | null;
}

/** Sent when the store goes away, every `renewMs` while it is, and when it is back. */
export const storeNoticeSignal = defineSignal<[StoreNotice]>('storeNotice');

/** A notice that isn't renewed lapses: the worker that sent it may be gone. */
export const STORE_NOTICE = { renewMs: 30 * SECOND, lapsesMs: 100 * SECOND } as const;

/** Of the reason and of the worker's name, in bytes. */
export const MAX_REASON_BYTES = 500;
export const MAX_WORKER_BYTES = 64;
