import type { Sinks } from '@temporalio/workflow';
import { recordIdOf } from '../../domain/records/record';
import { unpackBatch } from '../../domain/records/packed-batch';
import type { BufferPageWorkflow } from './buffer-page';
import type { ChildWorkflow } from './child';
import { WORKFLOW_TYPE } from './ids';

/** Which records each child was given, a batch or a page of the buffer: `recordId`s by workflow id, both in order. */
export type GivenRecords = Record<string, string[]>;

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
    /** A child that is started with records: a batch, or a page of the buffer. */
    records(workflowId: string, recordIds: string[]): void;
  };
}

/** The records that a child workflow is given as its input; undefined for one that is given none. */
export function recordsGivenTo(workflowType: string | undefined, input: unknown): string[] | undefined {
  if (workflowType === WORKFLOW_TYPE.child) {
    const [{ batches }] = [input] as Parameters<ChildWorkflow>;
    // With the place of its batch, as two records that change places would otherwise look the same.
    return batches.flatMap(({ records }, i) =>
      unpackBatch(records).map(({ recordId }) => `${i + 1}/${recordId}`),
    );
  }
  if (workflowType === WORKFLOW_TYPE.bufferPage) {
    const [{ runs }] = [input] as Parameters<BufferPageWorkflow>;
    return runs.flatMap(([requestId, , , firstIndex, values]) =>
      values.map((_, place) => recordIdOf(requestId, firstIndex + place)),
    );
  }
  return undefined;
}
