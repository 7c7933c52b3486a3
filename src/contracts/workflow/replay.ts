import type { Sinks } from '@temporalio/workflow';
import { recordIdOf } from '../../domain/records/record';
import { unpackBatch } from '../../domain/records/packed-batch';
import type { BufferPageWorkflow } from './buffer-page';
import type { ChildWorkflow } from './child';
import { WORKFLOW_TYPE } from './ids';

/** The records in the input of each child workflow (children and pages): `recordId`s by workflow id, both in order. */
export type GivenRecords = Record<string, string[]>;

/** A command of workflow code, reduced to what a replay compares. */
export interface GivenCommand {
  /** The command's name in the SDK, e.g. `scheduleActivity`. */
  kind: string;
  /** Type of an activity or child workflow. */
  type?: string;
  /** Id of an activity, child workflow, timer or patch. */
  id?: string;
}

/** Reports from replayed code in the sandbox. The workflow's `historyLength` identifies the workflow task. */
export interface ReplaySinks extends Sinks {
  replay: {
    /** The commands of one activation, in order. A workflow task has one or more activations. */
    commands(given: GivenCommand[]): void;
    /** The start of a child workflow with records in its input: a child, or a page of the buffer. */
    records(workflowId: string, recordIds: string[]): void;
  };
}

/** The records in the input of a child workflow; undefined for types of workflows without records. */
export function recordsGivenTo(workflowType: string | undefined, input: unknown): string[] | undefined {
  if (workflowType === WORKFLOW_TYPE.child) {
    const [{ batches }] = [input] as Parameters<ChildWorkflow>;
    // Prefixed with the position of the batch, so that records that move to another batch are noticed.
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
