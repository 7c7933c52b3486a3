import type { OperatorAction } from '../contracts/workflow/batcher-status';
import type { RedriveResult } from '../contracts/api/dead-letters';
import type { Right } from '../domain/rights';
import type { KeptRecord } from '../domain/records/record';

/** The answer to a list: everything in it is durable. */
export interface AcceptedRecords {
  requestId: string;
  accepted: number;
  /** In the order in which they were sent. */
  records: KeptRecord[];
}

/** The answer to a manual operation: it is durable, and takes effect in order with the records. */
export interface OperatorAnswer {
  accepted: true;
  action: 'flush' | 'pause' | 'resume';
  /** The operator's name, as stored in the history. */
  by: OperatorAction['by'];
}

/** Result of a redrive, with the operator's name. */
export type RedriveAnswer = RedriveResult & Pick<OperatorAction, 'by'>;

/** Options of every call. */
export interface Asked {
  /** Aborts the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of operator calls. */
export interface OperatorCall extends Asked {
  /** The operator's name, stored in the history. Default: the name of the API key, else `anonymous`. */
  by?: string | undefined;
}

/** The caller, as the API sees it. */
export interface Caller {
  /** Name of the API key; null if none is required. */
  name: string | null;
  rights: readonly Right[];
}
