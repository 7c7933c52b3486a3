import { WithStartWorkflowOperation, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  RUN_LIMITS,
  type BatcherInput,
  type BatcherWorkflow,
  type OperatorAction,
} from '../contracts/batcher';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../contracts/ids';
import { limitsUpdate, type LimitsAnswer, type ShardLimits } from '../contracts/limits';
import {
  isKeepapartError,
  KeepapartError,
  SHARD_CHANGE,
  type FieldProblem,
  type ShardChange,
} from '../domain/errors';
import type { LimitsPatch } from '../domain/limits';
import type { BatcherAddress } from './ingest';
import { callTemporal } from './rpc';

/**
 * Changes the limits of every shard, side by side. Repeating it does no harm, and completes what was done in some shards
 * only. Throws `invalid-request` with all problems, `temporal-unavailable` when no shard answered (no worker, say), and
 * `limits-incomplete` with what is known of each shard.
 */
export async function changeLimits(
  client: Client,
  address: BatcherAddress,
  patch: LimitsPatch,
  by: string,
): Promise<LimitsAnswer> {
  const action = { by, atMs: Date.now() };
  const shards = Array.from({ length: address.shards }, (_, shard) => shard);
  const results = await Promise.all(
    shards.map((shard) => changeShard(client, address, shard, patch, action).catch(catalogued)),
  );
  const failures = results.filter((result) => result instanceof Error);
  const [first] = failures;
  if (first === undefined) return { ...action, shards: results as ShardLimits[] };
  if (failures.length === shards.length) throw first;
  const changes = results.map((result, shard) =>
    changeOf(result, batcherWorkflowId(address.batcherId, shard)),
  );
  const open = changes.filter(({ change }) => change !== SHARD_CHANGE.changed);
  throw new KeepapartError(
    'limits-incomplete',
    `Of ${shards.length} shards ${open.length} did not confirm the change (${first.message}); the same again completes it`,
    {
      problems: first.problems,
      cause: first,
      progress: { shards: changes },
      ...(first.retryAfterMs !== undefined && { retryAfterMs: first.retryAfterMs }),
    },
  );
}

async function changeShard(
  client: Client,
  { batcherId, taskQueue, settings }: BatcherAddress,
  shard: number,
  patch: LimitsPatch,
  action: OperatorAction,
): Promise<ShardLimits> {
  const batcher = batcherWorkflowId(batcherId, shard);
  const input: BatcherInput = { settings, limits: RUN_LIMITS };
  try {
    const inForce = await callTemporal(client, `could not change the limits of ${batcher}`, () =>
      client.workflow.executeUpdateWithStart(limitsUpdate, {
        args: [patch, action],
        startWorkflowOperation: new WithStartWorkflowOperation<BatcherWorkflow>(WORKFLOW_TYPE.batcher, {
          workflowId: batcher,
          taskQueue,
          args: [input],
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: `Buffer of shard ${shard}`,
        }),
      }),
    );
    return { shard, batcher, ...inForce };
  } catch (error) {
    throw error instanceof WorkflowUpdateFailedError ? refusalOf(error, batcher) : error;
  }
}

/** What the batcher's validator said; a worker of before 0.3.0 doesn't know the update at all. */
function refusalOf({ cause }: WorkflowUpdateFailedError, batcher: string): KeepapartError {
  const reason = cause?.message ?? 'without a reason';
  if (cause instanceof ApplicationFailure && cause.type === 'invalid-request')
    return new KeepapartError('invalid-request', reason, { problems: cause.details?.[0] as FieldProblem[] });
  return new KeepapartError('temporal-unavailable', `the worker of ${batcher} refused the change: ${reason}`);
}

function catalogued(error: unknown): KeepapartError {
  if (isKeepapartError(error)) return error;
  throw error;
}

function changeOf(result: ShardLimits | KeepapartError, batcher: string): ShardChange {
  if (!(result instanceof Error)) return { batcher, change: SHARD_CHANGE.changed };
  // A batcher that has the update already may carry it out as soon as a worker is there.
  const change = result.code === 'invalid-request' ? SHARD_CHANGE.refused : SHARD_CHANGE.unknown;
  return { batcher, change, reason: result.message };
}
