import type { Sinks } from '@temporalio/workflow';
import type { BatchInput } from './batch';

/** Which records each batch holds: `recordId`s by `batchId`, both in order. */
export type CutBatches = Record<string, string[]>;

/** Something that workflow code told Temporal to do, as far as a replay compares it. */
export interface GivenCommand {
  /** The command's name in the SDK, e.g. `scheduleActivity`. */
  kind: string;
  /** Of an activity or a child. */
  type?: string;
  /** Of an activity, a child, a timer or a patch. */
  id?: string;
}

/** What replayed code reports from inside the sandbox; the workflow's `historyLength` tells in which task it was. */
export interface ReplaySinks extends Sinks {
  replay: {
    /** The commands of one activation, in order; a task has one activation or more. */
    commands(given: GivenCommand[]): void;
    /** A batch that is started. */
    batch(batchId: string, recordIds: string[]): void;
  };
}

export function recordIdsOf({ batch }: BatchInput): string[] {
  return batch.records.map(({ recordId }) => recordId);
}
