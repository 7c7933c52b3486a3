import type { Sinks } from '@temporalio/workflow';
import type { ClosedBatchReport, EarlyEndReport } from '../instruments';

/** What workflow code has its worker do outside of history: nothing comes of it that a replay would have to know. */
export interface WorkerSinks extends Sinks {
  workflowTask: {
    /** Answers the workflow task that is being worked on no sooner than so many milliseconds from now. */
    hold(ms: number): void;
  };
  /** For whoever measures; not called in a replay. */
  metrics: {
    /** Batches got their files. One call for all that were closed together. */
    batchesClosed(reports: ClosedBatchReport[]): void;
    /** Batches are settled, as an earlier run of their child closed without completing. */
    batchesEndedEarly(reports: EarlyEndReport[]): void;
  };
}
