import type { BatchSummary, RecordState, RecordView } from './views';

/** A request in figures. */
export interface FoundRequest {
  requestId: string;
  /** The record that it sends again, when it is a redrive. */
  redriveOf: string | null;
  records: number;
  counts: Record<RecordState, number>;
}

/** Something that has the id that was looked for. */
export type FoundView =
  | { kind: 'record'; record: RecordView; request: FoundRequest }
  | { kind: 'request'; request: FoundRequest }
  /** The request that the API logged under that id. */
  | { kind: 'log'; request: FoundRequest }
  | { kind: 'batch'; batch: BatchSummary; file: string | null };

export interface FindView {
  query: string;
  /** What it most likely means first; nothing when nothing is known under that id. */
  found: FoundView[];
}
