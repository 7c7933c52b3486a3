import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { keepAnswer } from '../../concurrency/keep-answer';
import type { AuditsView, AuditView } from '../../contracts/api/answers/audits';
import type { AuditProgress, AuditResult, AuditWorkflow } from '../../contracts/workflow/audit';
import { auditWorkflowId, WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { SECOND } from '../../domain/duration';
import { literal } from '../children/batch-queries';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { inputOf, messageOfFailure, readStart, valueAt } from '../server/history';

const LISTED = 10;
/** However many look on, Temporal is asked no more often. */
const EVERY_MS = SECOND;

/** A run as it is listed or described; only the newest, which is described, may be running. */
type AuditRun = WorkflowExecutionInfo | WorkflowExecutionDescription;
type Known = Pick<AuditView, 'by' | 'result' | 'error'>;

/** The audits of an installation. One per process: callers share the last answer, and closed audits are read once. */
export class Audits {
  /** The latest audits. Needs no worker. Rejects with KeepapartError `temporal-unavailable`. */
  readonly read = keepAnswer(EVERY_MS, () => this.list());
  private readonly workflowId: string;
  private readonly closed = new Map<string, Known>();

  constructor(
    private readonly client: Client,
    batcherId: string,
    private readonly taskQueue: string,
  ) {
    this.workflowId = auditWorkflowId(batcherId);
  }

  /** Starts an audit, or returns the one that runs. */
  async start(by: string): Promise<AuditView> {
    const { workflowId, taskQueue } = this;
    const runId = await callTemporal(this.client, 'could not start an audit', async () => {
      const handle = await this.client.workflow.start<AuditWorkflow>(WORKFLOW_TYPE.audit, {
        ...{ workflowId, taskQueue, args: [{ by }], workflowIdConflictPolicy: 'USE_EXISTING' },
        staticSummary: 'Audit of the batch files',
      });
      return handle.firstExecutionRunId;
    });
    const started = await describeIfKnown(this.client, workflowId, runId);
    if (started === undefined) throw new TypeError(`${workflowId} was started and isn't there`);
    return this.view(started);
  }

  private async list(): Promise<AuditsView> {
    const query = `WorkflowId = ${literal(this.workflowId)}`;
    const listed = await callTemporal(this.client, 'could not list the audits', async () => {
      const infos: AuditRun[] = [];
      for await (const info of this.client.workflow.list({ query, pageSize: LISTED })) {
        if (infos.push(info) === LISTED) break;
      }
      return infos;
    });
    // Listings lag behind, and show the newest late.
    const newest = await describeIfKnown(this.client, this.workflowId);
    const others = listed.filter(({ runId }) => runId !== newest?.runId);
    const all: AuditRun[] = [...(newest === undefined ? [] : [newest]), ...others]
      .sort((a, b) => b.startTime.getTime() - a.startTime.getTime())
      .slice(0, LISTED);
    const runIds = new Set(all.map(({ runId }) => runId));
    for (const runId of this.closed.keys()) if (!runIds.has(runId)) this.closed.delete(runId);
    return { audits: await Promise.all(all.map((info) => this.view(info))) };
  }

  private async view(info: AuditRun): Promise<AuditView> {
    const { runId, startTime, closeTime } = info;
    const isClosed = closeTime !== undefined;
    const known = this.closed.get(runId) ?? (await this.know(info));
    if (isClosed) this.closed.set(runId, known);
    const state = !isClosed ? 'running' : known.result === null ? 'failed' : 'completed';
    const { progress, error } = isClosed
      ? { progress: null, error: known.error }
      : await this.pendingIn(info);
    return {
      auditId: runId,
      state,
      startedAt: startTime.toISOString(),
      closedAt: closeTime?.toISOString() ?? null,
      ...known,
      progress,
      error,
    };
  }

  private async know({ runId, status }: AuditRun): Promise<Known> {
    const { client, workflowId } = this;
    const started = await readStart(client, workflowId, runId);
    const { by } = (await inputOf(client, started, workflowId)) as { by: string };
    if (status.name === 'RUNNING') return { by, result: null, error: null };
    const handle = client.workflow.getHandle<AuditWorkflow>(workflowId, runId, { followRuns: false });
    try {
      const result: AuditResult = await callTemporal(client, 'could not read an audit', () =>
        handle.result(),
      );
      return { by, result, error: null };
    } catch (error) {
      return { by, result: null, error: reasonOf(error) };
    }
  }

  /** How far a running audit is, and why its last attempt failed. */
  private async pendingIn({ raw }: AuditRun): Promise<Pick<AuditView, 'progress' | 'error'>> {
    const [activity] = ('pendingActivities' in raw ? raw.pendingActivities : undefined) ?? [];
    const progress = (await valueAt(this.client, activity?.heartbeatDetails)) as AuditProgress | undefined;
    return {
      progress: progress ?? null,
      error: (await messageOfFailure(this.client, activity?.lastFailure)) ?? null,
    };
  }
}

/** The message of what failed first: errors of workflows wrap those of their activities. */
function reasonOf(error: unknown): string {
  let last = error;
  while (last instanceof Error && last.cause instanceof Error) last = last.cause;
  return last instanceof Error ? last.message : String(last);
}
