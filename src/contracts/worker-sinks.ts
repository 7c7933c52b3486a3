import type { Sinks } from '@temporalio/workflow';

/** What workflow code has its worker do outside of history: nothing comes of it that a replay would have to know. */
export interface WorkerSinks extends Sinks {
  workflowTask: {
    /** Answers the workflow task that is being worked on no sooner than so many milliseconds from now. */
    hold(ms: number): void;
  };
}
