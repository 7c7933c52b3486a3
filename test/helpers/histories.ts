import type { temporal } from '@temporalio/proto';
import type { Activities } from '../../src/contracts/workflow/activities';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { childIdOf } from '../../src/domain/records/batch';
import { replayHistories } from '../../src/temporal/replay/replay-histories';
import { bundleOfToday } from './builds';
import type { TestPipeline } from './pipeline';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Workflow id of the batcher's child with this number, from 1. */
export function childOf({ batcherWorkflowId }: TestPipeline, seq: number): string {
  return childIdOf(batcherWorkflowId, seq);
}

/** The history of a workflow's newest run. */
export async function eventsOf({ client }: TestPipeline, workflowId: string): Promise<HistoryEvent[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
}

/** The types of the activities that a workflow has scheduled, in order. */
export async function activitiesOf(
  pipeline: TestPipeline,
  workflowId: string,
): Promise<(keyof Activities)[]> {
  const events = await eventsOf(pipeline, workflowId);
  return events.flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) =>
      (scheduled?.activityType?.name as keyof Activities | undefined) ?? [],
  );
}

/** The children of a batcher that visibility lists, sorted. */
export async function listChildren({ client, batcherWorkflowId }: TestPipeline): Promise<string[]> {
  const ids: string[] = [];
  const query = `WorkflowType = '${WORKFLOW_TYPE.child}' AND ${SEARCH_ATTRIBUTES.batcher.name} = '${batcherWorkflowId}'`;
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids.sort();
}

/** Where today's code departs from the history of a workflow; undefined where it doesn't (G8). */
export async function mismatchIn({ client }: TestPipeline, workflowId: string): Promise<string | undefined> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  for await (const { mismatch } of replayHistories(bundleOfToday(false), [{ workflowId, history }]))
    return mismatch?.original;
  throw new Error('nothing was replayed');
}
