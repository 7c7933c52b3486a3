import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import {
  VERSION_STATE,
  type VersionState,
  type VersionsView,
  type VersionView,
} from '../../contracts/workflow/versions';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { literal } from '../children/batch-queries';
import { callTemporal } from '../server/calls';
import { GRPC_STATUS, hasFailedWith } from '../server/grpc-status';

const { TaskQueueType, WorkerDeploymentVersionStatus: STATUS } = temporal.api.enums.v1;
type Summary = temporal.api.deployment.v1.WorkerDeploymentInfo.IWorkerDeploymentVersionSummary;

/** A poll is held for at most 60 s: a poller that is silent for longer is gone, although Temporal lists it for 5 min. */
const POLLED_WITHIN_MS = 70 * SECOND;

/** Which builds are meant: a Worker Deployment, and the task queue of its workers. */
export interface DeploymentAddress {
  deployment: string;
  taskQueue: string;
}

/** What new batches and the batchers are routed to: a build, or, with `null`, workers without one. */
export interface Promotion {
  buildId: string | null;
  /** Percentage of new batches and of batchers, by id; 0 ends the ramp. Without it, the build becomes current. */
  percent?: number | undefined;
  /** From {@link readVersions}: the promotion fails if there was another one since. */
  conflictToken?: Uint8Array | undefined;
}

/**
 * All builds of a deployment that Temporal knows; only unversioned workers if the deployment doesn't exist yet.
 * @throws KeepapartError `temporal-unavailable` (retried by the client)
 */
export async function readVersions(
  client: Client,
  { deployment, taskQueue }: DeploymentAddress,
): Promise<VersionsView & { conflictToken?: Uint8Array }> {
  return await callTemporal(client, 'could not read the versions', async () => {
    const [described, workers] = await Promise.all([
      describe(client, deployment),
      countWorkers(client, taskQueue),
    ]);
    const info = described?.workerDeploymentInfo;
    const routing = info?.routingConfig;
    const current = routing?.currentDeploymentVersion?.buildId ?? null;
    const ramping = routing?.rampingVersionPercentage ?? 0;
    const summaries = [...(info?.versionSummaries ?? [])].sort((a, b) => createdMs(b) - createdMs(a));
    const versions = await Promise.all(
      summaries.map(async (summary): Promise<VersionView> => {
        const buildId = summary.deploymentVersion?.buildId ?? '';
        const state = stateOf(summary);
        return {
          buildId,
          state,
          percent: state === 'current' ? 100 - ramping : state === 'ramping' ? ramping : null,
          openBatches: await countPinned(client, `${deployment}:${buildId}`),
          workers: workers.get(buildId) ?? 0,
          firstSeenAt: new Date(createdMs(summary)).toISOString(),
        };
      }),
    );
    const shared = versions.reduce((sum, { percent }) => sum + (percent ?? 0), 0);
    return {
      deployment,
      taskQueue,
      current,
      decided: routing?.currentVersionChangedTime != null || routing?.rampingVersionChangedTime != null,
      versions: [
        ...versions,
        {
          buildId: null,
          state: VERSION_STATE.unversioned,
          percent: 100 - shared,
          openBatches: null,
          workers: workers.get(null) ?? 0,
          firstSeenAt: null,
        },
      ],
      ...(described !== undefined && { conflictToken: described.conflictToken }),
    };
  });
}

/**
 * Makes a build current, or ramps it. Pinned work stays where it is; batchers move with their next task.
 * @throws KeepapartError `version-refused` if no worker of that build has started, if it doesn't poll all task queues, or
 *   if there was another promotion meanwhile; `temporal-unavailable` (retried by the client)
 */
export async function promote(client: Client, deployment: string, promotion: Promotion): Promise<void> {
  const { percent, conflictToken } = promotion;
  const request = {
    namespace: client.options.namespace,
    deploymentName: deployment,
    identity: client.options.identity,
    ...(conflictToken !== undefined && { conflictToken }),
  };
  await callTemporal(client, 'could not change which version is current', async () => {
    try {
      if (percent === undefined) {
        await client.workflowService.setWorkerDeploymentCurrentVersion({
          ...request,
          buildId: promotion.buildId ?? '',
        });
      } else {
        await client.workflowService.setWorkerDeploymentRampingVersion({
          ...request,
          buildId: percent === 0 ? '' : (promotion.buildId ?? ''),
          percentage: percent,
        });
      }
    } catch (cause) {
      if (!hasFailedWith(cause, GRPC_STATUS.notFound, GRPC_STATUS.failedPrecondition)) throw cause;
      throw new KeepapartError(
        'version-refused',
        `Temporal refused to promote ${promotion.buildId ?? 'workers without BUILD_ID'} of ${deployment}: ${cause.details}`,
        { cause },
      );
    }
  });
}

async function describe(client: Client, deploymentName: string) {
  try {
    return await client.workflowService.describeWorkerDeployment({
      namespace: client.options.namespace,
      deploymentName,
    });
  } catch (error) {
    if (hasFailedWith(error, GRPC_STATUS.notFound)) return undefined;
    throw error;
  }
}

/** By build, `null` for none. Each process counts once. */
async function countWorkers(client: Client, taskQueue: string): Promise<Map<string | null, number>> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const identities = new Map<string | null, Set<string>>();
  for (const { identity, lastAccessTime, deploymentOptions } of pollers) {
    if (msOf(lastAccessTime) < Date.now() - POLLED_WITHIN_MS) continue;
    const buildId = deploymentOptions?.buildId || null;
    identities.set(buildId, (identities.get(buildId) ?? new Set()).add(identity ?? ''));
  }
  return new Map([...identities].map(([buildId, { size }]) => [buildId, size]));
}

/** The query that Temporal itself uses to decide whether a version is drained. */
async function countPinned(client: Client, version: string): Promise<number> {
  const { count } = await client.workflowService.countWorkflowExecutions({
    namespace: client.options.namespace,
    query: `BuildIds = ${literal(`pinned:${version}`)} AND ExecutionStatus = 'Running'`,
  });
  return count.toNumber();
}

function stateOf({ status }: Summary): VersionState {
  switch (status) {
    case STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT:
      return VERSION_STATE.current;
    case STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING:
      return VERSION_STATE.ramping;
    case STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING:
      return VERSION_STATE.draining;
    case STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED:
      return VERSION_STATE.drained;
    default:
      return VERSION_STATE.inactive;
  }
}

function createdMs({ createTime }: Summary): number {
  return msOf(createTime);
}

function msOf(time: { seconds?: { toNumber(): number } | null; nanos?: number | null } | null | undefined) {
  return (time?.seconds?.toNumber() ?? 0) * SECOND + Math.floor((time?.nanos ?? 0) / 1e6);
}
