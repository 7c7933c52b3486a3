import type { OperatorAction } from '../contracts/workflow/batcher-status';
import type { RedriveResult } from '../contracts/api/dead-letters';
import type { Right } from '../domain/rights';
import type { KeptRecord } from '../domain/records/record';

/** A list that was taken: everything in it is durable. */
export interface AcceptedRecords {
  requestId: string;
  accepted: number;
  /** In the order in which they were sent. */
  records: KeptRecord[];
}

/** What was asked for by hand is durable; it takes effect in order with the records. */
export interface OperatorAnswer {
  accepted: true;
  action: 'flush' | 'pause' | 'resume';
  /** Who asked, as it is kept in history. */
  by: OperatorAction['by'];
}

export type RedriveAnswer = RedriveResult & Pick<OperatorAction, 'by'>;

/** Options of every call. */
export interface Asked {
  signal?: AbortSignal | undefined;
}

/** Options of what operators do. */
export interface OperatorCall extends Asked {
  /** Who does it, kept in history. Default: the name of the API key, else `anonymous`. */
  by?: string | undefined;
}

/** Who calls. */
export interface Caller {
  /** Of the API key; null where none is needed. */
  name: string | null;
  rights: readonly Right[];
}
