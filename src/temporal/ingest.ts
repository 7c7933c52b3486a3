import type { Client } from '@temporalio/client';
import {
  RUN_LIMITS,
  addRecordsSignal,
  configureSignal,
  drainSignal,
  flushSignal,
  pauseSignal,
  resumeSignal,
  type AcceptedRequest,
  type BatcherInput,
  type BatcherWorkflow,
  type OperatorAction,
} from '../contracts/batcher';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../contracts/ids';
import type { PipelineSettings } from '../contracts/settings';
import type { SignalDefinition } from '@temporalio/common';
import { callTemporal } from './rpc';

/** Where this deployment's batchers live, and what they start with. */
export interface BatcherAddress {
  batcherId: string;
  shards: number;
  taskQueue: string;
  settings: PipelineSettings;
}

/**
 * The way in: everything that reaches a batcher is a `signalWithStart`, so that a batcher that isn't there begins to be,
 * and a message is durable when the call returns, whether or not a worker runs.
 */
export interface Ingest {
  /**
   * Requests of one shard, in one message, with who had them sent when that wasn't a client.
   * @returns the id of the run that took them
   */
  addRecords(shard: number, requests: AcceptedRequest[], action?: OperatorAction): Promise<string>;
  flush(by: string): Promise<void>;
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
  drain(by: string): Promise<void>;
  /** Puts this process's settings in force on every shard, starting the batchers that aren't there. */
  configure(by: string): Promise<void>;
}

export function createIngest(client: Client, address: BatcherAddress): Ingest {
  const input: BatcherInput = { settings: address.settings, limits: RUN_LIMITS };
  const shards = Array.from({ length: address.shards }, (_, shard) => shard);

  async function send<Args extends [unknown, ...unknown[]]>(
    shard: number,
    signal: SignalDefinition<Args>,
    args: Args,
  ): Promise<string> {
    const workflowId = batcherWorkflowId(address.batcherId, shard);
    const { signaledRunId } = await callTemporal(client, `could not hand over to ${workflowId}`, () =>
      client.workflow.signalWithStart<BatcherWorkflow, [unknown, ...unknown[]]>(WORKFLOW_TYPE.batcher, {
        workflowId,
        taskQueue: address.taskQueue,
        args: [input],
        signal: signal.name,
        signalArgs: args,
        staticSummary: `Buffer of shard ${shard}`,
      }),
    );
    return signaledRunId;
  }

  async function tellAll(signal: SignalDefinition<[OperatorAction]>, by: string): Promise<void> {
    const action = { by, atMs: Date.now() };
    await Promise.all(shards.map((shard) => send(shard, signal, [action])));
  }

  return {
    addRecords: (shard, requests, action) =>
      send(shard, addRecordsSignal, action === undefined ? [requests] : [requests, action]),
    flush: (by) => tellAll(flushSignal, by),
    pause: (by) => tellAll(pauseSignal, by),
    resume: (by) => tellAll(resumeSignal, by),
    drain: (by) => tellAll(drainSignal, by),
    async configure(by) {
      const action = { by, atMs: Date.now() };
      await Promise.all(shards.map((shard) => send(shard, configureSignal, [address.settings, action])));
    },
  };
}
