import type { Sinks } from '@temporalio/workflow';
import type { ClosedBatchReport, EarlyEndReport } from '../instruments';
import type { ClosedBatchTrace } from '../tracing';

/** What workflow code asks its worker to do. Nothing of it is in history or affects a replay. */
export interface WorkerSinks extends Sinks {
  workflowTask: {
    /** Delays the response to the current workflow task by this many milliseconds. */
    hold(ms: number): void;
  };
  /** Metrics; not called during replay. */
  metrics: {
    /** One call for all batches that were closed together. */
    batchesClosed(reports: ClosedBatchReport[]): void;
    /** Batches are being settled, because an earlier run of their child ended early. */
    batchesEndedEarly(reports: EarlyEndReport[]): void;
  };
  /** Traces; not called during replay. */
  traces: {
    /** One call for all batches that were closed together, if any of them may be traced. */
    batchesClosed(reports: ClosedBatchTrace[]): void;
  };
}
